package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import org.resilire.codec.PageRecord;

/** Copies the blocks of a page that a mask names, packed and in order: what a record's payload is. Stateless. */
final class PackedBlocks {

    private PackedBlocks() {}

    /** Out of a page. */
    static void copy(
            final MemorySegment from,
            final long pageOffset,
            final long mask,
            final MemorySegment out,
            final long outOffset) {
        long remaining = mask;
        long to = outOffset;
        while (remaining != 0) {
            final int first = Long.numberOfTrailingZeros(remaining);
            final int run = Long.numberOfTrailingZeros(~(remaining >>> first));
            final long runBytes = (long) run * PageRecord.BLOCK_BYTES;
            MemorySegment.copy(from, pageOffset + (long) first * PageRecord.BLOCK_BYTES, out, to, runBytes);
            to += runBytes;
            remaining &= run == Long.SIZE ? 0 : ~(((1L << run) - 1) << first);
        }
    }
}
