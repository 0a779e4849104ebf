package org.resilire.synthetic;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.agrona.concurrent.NanoClock;

/** Runs like the system's clock and can be put forward, so that a test need not wait for a time-out. Any thread. */
public final class SteppedClock implements NanoClock {

    private final AtomicLong ahead = new AtomicLong();
    private final AtomicReference<Error> failure = new AtomicReference<>();
    private volatile long stepNanos;

    /** Lets time pass at once. */
    public void pass(final long nanos) {
        ahead.addAndGet(nanos);
    }

    /** From here on so much passes whenever somebody looks: what is done in slices of time is done in the smallest ones. */
    public void passAtEveryLook(final long nanos) {
        stepNanos = nanos;
    }

    /** Throws it at whoever looks next, in the middle of what they do. */
    public void failAtNextLook(final Error error) {
        failure.set(error);
    }

    @Override
    public long nanoTime() {
        final Error error = failure.getAndSet(null);
        if (error != null) {
            throw error;
        }
        return System.nanoTime() + ahead.addAndGet(stepNanos);
    }
}
