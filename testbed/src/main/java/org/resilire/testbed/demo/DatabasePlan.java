package org.resilire.testbed.demo;

import java.time.Duration;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.load.LoadOptions;

/**
 * One failover of a database to be shown.
 *
 * @param guest with one disk
 * @param programs what is on it
 * @param protectedFor how long it runs protected before its host dies, about
 * @param seed decides the instant of death
 */
record DatabasePlan(
        GuestConfig guest,
        GuestPrograms programs,
        AgentOptions agents,
        LoadOptions load,
        Duration protectedFor,
        long seed) {

    DatabasePlan withSeed(final long newSeed) {
        return new DatabasePlan(guest, programs, agents, load, protectedFor, newSeed);
    }
}
