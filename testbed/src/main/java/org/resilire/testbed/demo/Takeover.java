package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentState;
import org.resilire.testbed.lab.AgentProcess;

/**
 * Watches host B take over.
 *
 * @param stoodByNs when it was last seen not taking over yet
 * @param activeNs when it was first seen to run the guest; 0 if it was not in time
 */
public record Takeover(long stoodByNs, long activeNs) {

    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final long LOOK_INTERVAL_NANOS = Duration.ofNanos(500_000).toNanos();

    /** Whether it was in time. */
    public boolean hasHappened() {
        return activeNs != 0;
    }

    /** Looks at its counters, which costs it nothing, until it runs the guest or has had its time. */
    public static Takeover await(final AgentProcess standby, final long killedNs) {
        long stoodByNs = killedNs;
        while (System.nanoTime() - killedNs < LIMIT.toNanos()
                && standby.process().isAlive()) {
            // The clock first: at that time it was not further than what is read after.
            final long nowNs = System.nanoTime();
            final AgentState state = standby.state();
            if (state == AgentState.ACTIVE) {
                return new Takeover(stoodByNs, System.nanoTime());
            }
            if (state == AgentState.STANDBY_READY) {
                stoodByNs = nowNs;
            }
            LockSupport.parkNanos(LOOK_INTERVAL_NANOS);
        }
        return new Takeover(stoodByNs, 0);
    }
}
