package org.resilire.synthetic;

import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.NanoClock;

/** Runs like the system's clock and can be put forward, so that a test need not wait for a time-out. Any thread. */
public final class SteppedClock implements NanoClock {

    private final AtomicLong ahead = new AtomicLong();
    private volatile long stepNanos;

    /** Lets time pass at once. */
    public void pass(final long nanos) {
        ahead.addAndGet(nanos);
    }

    /** From here on so much passes whenever somebody looks: what is done in slices of time is done in the smallest ones. */
    public void passAtEveryLook(final long nanos) {
        stepNanos = nanos;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime() + ahead.addAndGet(stepNanos);
    }
}
