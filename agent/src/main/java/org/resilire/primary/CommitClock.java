package org.resilire.primary;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers when recent epochs began to be captured, so that the link thread can tell how long each took to be acknowledged. The
 * checkpoint thread writes, the link thread reads.
 */
final class CommitClock {

    private static final int EPOCHS = 256;

    private final AtomicLongArray startNanos = new AtomicLongArray(EPOCHS);

    void started(final long epoch, final long nowNanos) {
        startNanos.setRelease((int) (epoch & (EPOCHS - 1)), nowNanos);
    }

    long startedNanos(final long epoch) {
        return startNanos.getAcquire((int) (epoch & (EPOCHS - 1)));
    }
}
