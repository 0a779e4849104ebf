package org.resilire.disk;

import org.agrona.concurrent.NanoClock;

/** Holds a copy to so many bytes a second, from when it is made. One thread. */
final class CopyRate {

    private static final double NANOS_PER_SECOND = 1e9;

    private final NanoClock clock;
    private final long bytesPerSecond;
    private final long startNanos;
    private long bytes;

    /** @param bytesPerSecond {@link Long#MAX_VALUE} for no limit */
    CopyRate(final NanoClock clock, final long bytesPerSecond) {
        if (bytesPerSecond <= 0) {
            throw new IllegalArgumentException("the rate of a disk's copy must be positive, not " + bytesPerSecond);
        }
        this.clock = clock;
        this.bytesPerSecond = bytesPerSecond;
        startNanos = clock.nanoTime();
    }

    boolean allows() {
        return bytesPerSecond == Long.MAX_VALUE
                || bytes <= (clock.nanoTime() - startNanos) / NANOS_PER_SECOND * bytesPerSecond;
    }

    void add(final long moreBytes) {
        bytes += moreBytes;
    }
}
