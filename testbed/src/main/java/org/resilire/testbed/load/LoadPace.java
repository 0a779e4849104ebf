package org.resilire.testbed.load;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** When the connections of a load send, rest and end. Any thread. */
final class LoadPace {

    private static final long REST_INTERVAL_NANOS = Duration.ofMillis(10).toNanos();

    private volatile boolean isResting;
    private volatile boolean isOver;

    void rest(final boolean resting) {
        isResting = resting;
    }

    void end() {
        isOver = true;
    }

    /** Waits as long as the client thinks, or longer while the load rests. False: the load is over. */
    boolean think(final Duration thinkTime) {
        LockSupport.parkNanos(thinkTime.toNanos());
        while (isResting && !isOver) {
            LockSupport.parkNanos(REST_INTERVAL_NANOS);
        }
        return !isOver;
    }
}
