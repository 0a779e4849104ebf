package org.resilire.epoch;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The latest measurement of the link, from the thread that made it to the one that goes by it. A sequence number, odd while writing,
 * tells the reader what it has seen already and what it caught half written. One writer, one reader.
 */
final class LinkSample {

    private final AtomicLong sequence = new AtomicLong();
    private volatile long bytes;
    private volatile long nanos;
    private volatile boolean saturated;

    // Of the reader.
    private long seen;
    private long readBytes;
    private long readNanos;
    private boolean readSaturated;

    void write(final long newBytes, final long newNanos, final boolean wasSaturated) {
        sequence.incrementAndGet();
        bytes = newBytes;
        nanos = newNanos;
        saturated = wasSaturated;
        sequence.incrementAndGet();
    }

    /** True if there is one that was not read before; it can then be asked for. */
    boolean read() {
        final long before = sequence.get();
        if (before == seen || (before & 1) != 0) {
            return false;
        }
        readBytes = bytes;
        readNanos = nanos;
        readSaturated = saturated;
        if (sequence.get() != before) {
            return false;
        }
        seen = before;
        return true;
    }

    long bytes() {
        return readBytes;
    }

    long nanos() {
        return readNanos;
    }

    boolean saturated() {
        return readSaturated;
    }
}
