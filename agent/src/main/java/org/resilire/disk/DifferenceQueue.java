package org.resilire.disk;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Ranges of a replica that do not hold what the primary's disk holds, on their way from the thread that compares to the one that
 * reports them. Bounded: whoever compares waits for room, but for nobody who does not listen any more.
 */
final class DifferenceQueue implements ApplyJournal.DifferenceListener {

    static final int CAPACITY = 4096;
    private static final long WAIT_NANOS = 100_000;

    private final AtomicLongArray offsets = new AtomicLongArray(CAPACITY);
    private final AtomicLong head = new AtomicLong();
    private final AtomicLong tail = new AtomicLong();
    private volatile boolean isListening;

    /** Begins to listen, or ceases to. Nothing may be compared meanwhile when it begins. */
    void listen(final boolean isWanted) {
        if (isWanted) {
            head.set(tail.get());
        }
        isListening = isWanted;
    }

    @Override
    public void onDifference(final long diskOffset, final long lengthBytes) {
        final long at = tail.getPlain();
        while (isListening && at - head.getAcquire() == CAPACITY) {
            LockSupport.parkNanos(WAIT_NANOS);
        }
        if (isListening) {
            offsets.setPlain((int) (at & (CAPACITY - 1)), diskOffset);
            tail.setRelease(at + 1);
        }
    }

    /** How many wait to be reported. Reporting thread. */
    int size() {
        return (int) (tail.getAcquire() - head.getPlain());
    }

    /** The offset of the n-th of them. Reporting thread. */
    long offset(final int index) {
        return offsets.getPlain((int) ((head.getPlain() + index) & (CAPACITY - 1)));
    }

    /** So many were reported. Reporting thread. */
    void remove(final int count) {
        head.setRelease(head.getPlain() + count);
    }
}
