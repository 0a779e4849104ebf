package org.resilire.primary;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers when recent epochs began to be captured and when they were acknowledged, for both the checkpoint thread, which writes
 * the one, and the link thread, which writes the other.
 */
final class CommitClock {

    private static final int EPOCHS = 256;

    private final AtomicLongArray startNanos = new AtomicLongArray(EPOCHS);
    private final AtomicLongArray commitNanos = new AtomicLongArray(EPOCHS);

    void started(final long epoch, final long nowNanos) {
        startNanos.setRelease((int) (epoch & (EPOCHS - 1)), nowNanos);
    }

    long startedNanos(final long epoch) {
        return startNanos.getAcquire((int) (epoch & (EPOCHS - 1)));
    }

    /** On the link thread; returns how long it took. */
    long acknowledged(final long epoch, final long nowNanos) {
        final long nanos = nowNanos - startedNanos(epoch);
        commitNanos.setRelease((int) (epoch & (EPOCHS - 1)), nanos);
        return nanos;
    }

    /** How long an epoch took that has been acknowledged. */
    long commitNanos(final long epoch) {
        return commitNanos.getAcquire((int) (epoch & (EPOCHS - 1)));
    }
}
