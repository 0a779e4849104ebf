package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentState;

/**
 * How host B took over, on CLOCK_MONOTONIC.
 *
 * @param killedNs when host A died, or from when on host B was watched
 * @param stoodByNs when it was last seen not taking over yet: what is answered later can only be from host B
 * @param activeNs when it was first seen to run the guest; 0 if it was not in time
 */
public record Takeover(long killedNs, long stoodByNs, long activeNs) {

    private static final long LOOK_INTERVAL_NANOS = Duration.ofNanos(500_000).toNanos();

    /** Whether it was in time. */
    public boolean hasHappened() {
        return activeNs != 0;
    }

    /** From the death of host A until host B says that it runs the guest; only of one that was in time. */
    public double millis() {
        return (activeNs - killedNs) / 1e6;
    }

    /** Looks at its counters, which costs it nothing, until it runs the guest, has ended or has had its time. */
    public static Takeover await(final AgentProcess standby, final long killedNs, final Duration limit) {
        long stoodByNs = killedNs;
        while (System.nanoTime() - killedNs < limit.toNanos()
                && standby.process().isAlive()) {
            // The clock first: at that time it was not further than what is read after.
            final long nowNs = System.nanoTime();
            final AgentState state = standby.state();
            if (state == AgentState.ACTIVE) {
                return new Takeover(killedNs, stoodByNs, System.nanoTime());
            }
            if (state == AgentState.STANDBY_READY) {
                stoodByNs = nowNs;
            }
            LockSupport.parkNanos(LOOK_INTERVAL_NANOS);
        }
        return new Takeover(killedNs, stoodByNs, 0);
    }
}
