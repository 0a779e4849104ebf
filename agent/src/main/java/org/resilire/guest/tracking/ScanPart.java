package org.resilire.guest.tracking;

import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.resilire.guest.PageRuns;

/**
 * A part of a guest's RAM that either the collecting thread scans or a worker does, whoever comes first. Each change of state hands
 * everything in it from one thread to the other. No locks, no allocation.
 *
 * <pre>
 *             offer()            take()
 *   COLLECTOR ───────► OFFERED ─────────► WORKER
 *       ▲                 │ acquire()        │ scan() is through
 *       └─────────────────┴──────────────────┘
 * </pre>
 */
final class ScanPart implements AutoCloseable {

    private static final int COLLECTOR = 0;
    private static final int OFFERED = 1;
    private static final int WORKER = 2;

    private static final int SPINS = 2_000;
    /** Then the worker probably has no core, and ours is worth more to it. */
    private static final int YIELDS = 100_000;

    private static final long PARK_NANOS = 50_000;

    private final RegionWalk walk;
    private final AtomicInteger state = new AtomicInteger(COLLECTOR);
    private final IdleStrategy wait = new BackoffIdleStrategy(SPINS, YIELDS, PARK_NANOS, PARK_NANOS);
    private Throwable failure;

    ScanPart(final RegionWalk walk) {
        this.walk = walk;
    }

    /** By the collecting thread: a worker may have it. */
    void offer() {
        state.setRelease(OFFERED);
    }

    /** By a worker: true if it is now this worker's, which must {@link #scan()} it. */
    boolean take() {
        return state.getPlain() == OFFERED && state.compareAndSet(OFFERED, WORKER);
    }

    /** By the worker that took it: one bufferful, and back to the collecting thread, as is a failure. */
    void scan() {
        try {
            walk.prefetch();
        } catch (final Throwable thrown) {
            failure = thrown;
        }
        state.setRelease(COLLECTOR);
    }

    /** By the collecting thread: takes it back, or waits for the worker that has it: one call of the kernel at most. */
    private void acquire() {
        wait.reset();
        while (state.getAcquire() != COLLECTOR && !state.compareAndSet(OFFERED, COLLECTOR)) {
            wait.idle();
        }
    }

    /**
     * By the collecting thread: appends what was found and scans the rest; true at the part's end, false when {@code into} is
     * full. What a worker's scan threw is thrown here, once; the next call tries again where it failed.
     */
    boolean handOn(final PageRuns into) {
        acquire();
        final Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            rethrow(thrown);
        }
        return walk.walk(into);
    }

    /** A scan throws nothing that is checked. */
    private static void rethrow(final Throwable thrown) {
        if (thrown instanceof final Error error) {
            throw error;
        }
        throw (RuntimeException) thrown;
    }

    /** By the collecting thread: forgets what was found, and a failure. */
    void restart() {
        acquire();
        failure = null;
        walk.restart();
    }

    /** By the collecting thread, when workers have ended. */
    @Override
    public void close() {
        walk.close();
    }
}
