package org.resilire.disk;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that wait until something may have changed. Whoever wakes them takes no lock and waits for nobody, so that a thread that must
 * not wait can do it. Any threads; allocates nothing.
 *
 * <p>A thread first {@link #enter}s, then looks whether it must wait, and only then {@link #park}s: what changes after the look wakes
 * it. Whoever wakes makes its change visible first, by a volatile store or under the lock that the look takes.
 */
final class WaitingThreads {

    /** More than a disk has clients' threads, as a rule. */
    private static final int SLOTS = 64;

    private static final int NO_SLOT = -1;

    /** A thread that finds no slot looks again by itself. */
    private static final long RECHECK_NANOS = 1_000_000L;

    private final AtomicReferenceArray<Thread> slots = new AtomicReferenceArray<>(SLOTS);
    private final AtomicInteger count = new AtomicInteger();

    /** The calling thread may wait from here on; returns what the other two need to be told. */
    int enter() {
        final Thread self = Thread.currentThread();
        count.incrementAndGet();
        for (int slot = 0; slot < SLOTS; slot++) {
            if (slots.get(slot) == null && slots.compareAndSet(slot, null, self)) {
                return slot;
            }
        }
        return NO_SLOT;
    }

    /**
     * Returns when somebody has called {@link #wakeAll} since the thread entered or last returned from here, or for no reason.
     *
     * @return true if the thread was interrupted, which is reset: else it could not wait any more
     */
    boolean park(final int slot) {
        if (slot == NO_SLOT) {
            LockSupport.parkNanos(this, RECHECK_NANOS);
        } else {
            LockSupport.park(this);
        }
        return Thread.interrupted();
    }

    /** The calling thread waits no more. */
    void leave(final int slot) {
        if (slot != NO_SLOT) {
            slots.set(slot, null);
        }
        count.decrementAndGet();
    }

    /** Lets all look again; costs a load while nobody waits. */
    void wakeAll() {
        if (count.get() == 0) {
            return;
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            final Thread waiting = slots.get(slot);
            if (waiting != null) {
                LockSupport.unpark(waiting);
            }
        }
    }
}
