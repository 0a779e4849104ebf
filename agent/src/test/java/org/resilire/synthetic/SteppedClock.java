package org.resilire.synthetic;

import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.NanoClock;

/** Runs like the system's clock and can be put forward, so that a test need not wait for a time-out. Any thread. */
public final class SteppedClock implements NanoClock {

    private final AtomicLong ahead = new AtomicLong();

    /** Lets time pass at once. */
    public void pass(final long nanos) {
        ahead.addAndGet(nanos);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime() + ahead.get();
    }
}
