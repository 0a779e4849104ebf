package org.resilire.testbed.demo;

import java.time.Duration;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.load.LoadOptions;

/**
 * One failover to be shown.
 *
 * @param guest what is protected
 * @param agents how
 * @param load its clients
 * @param isIdle whether the clients are silent while the pauses are measured
 * @param protectedFor how long it runs protected before its host dies, about
 * @param verifications how often the memories are compared meanwhile, besides what the agent does by itself
 * @param seed decides the instant of death
 */
record FailoverPlan(
        GuestConfig guest,
        AgentOptions agents,
        LoadOptions load,
        boolean isIdle,
        Duration protectedFor,
        int verifications,
        long seed) {

    FailoverPlan withSeed(final long newSeed) {
        return new FailoverPlan(guest, agents, load, isIdle, protectedFor, verifications, newSeed);
    }
}
