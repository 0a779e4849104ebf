package org.resilire.testbed.demo;

import java.time.Duration;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;

/**
 * A chain of changes of roles.
 *
 * @param isPlanned switchovers, else deaths of the host that runs the guest
 * @param between how long the guest is left alone before each, and as long again at random
 * @param seed decides the instants
 */
record RolesPlan(GuestConfig guest, AgentOptions agents, int changes, boolean isPlanned, Duration between, long seed) {}
