package org.resilire.primary;

import java.lang.foreign.MemorySegment;
import org.resilire.wire.Checksum;

/** What was sent of an epoch, whatever it was: its end says so. Link thread. */
final class EpochTotals {

    private final Checksum checksum = new Checksum();
    private int batchCount;
    private long payloadBytes;

    void reset() {
        batchCount = 0;
        payloadBytes = 0;
        checksum.reset();
    }

    /**
     * Counts the next message in.
     *
     * @return its number
     */
    int add(final MemorySegment memory, final long offset, final int lengthBytes) {
        checksum.add(memory, offset, lengthBytes);
        payloadBytes += lengthBytes;
        return batchCount++;
    }

    int batchCount() {
        return batchCount;
    }

    long payloadBytes() {
        return payloadBytes;
    }

    long checksum() {
        return checksum.value();
    }
}
