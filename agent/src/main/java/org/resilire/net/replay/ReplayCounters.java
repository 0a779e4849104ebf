package org.resilire.net.replay;

import java.util.concurrent.atomic.AtomicLongArray;

/** The figures of a replay. The network thread writes, any thread reads, without a lock. */
final class ReplayCounters {

    private final AtomicLongArray values = new AtomicLongArray(ReplayCounter.values().length);

    long value(final ReplayCounter counter) {
        return values.getAcquire(counter.id());
    }

    void add(final ReplayCounter counter) {
        set(counter, values.getPlain(counter.id()) + 1);
    }

    void set(final ReplayCounter counter, final long value) {
        values.setRelease(counter.id(), value);
    }
}
