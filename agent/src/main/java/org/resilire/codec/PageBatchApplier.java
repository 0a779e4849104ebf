package org.resilire.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Writes validated page records into a replica's memory. Allocates nothing. Not thread-safe. */
public final class PageBatchApplier {

    private static final MemorySegment ZERO_PAGE = Arena.global().allocate(PageRecord.PAGE_BYTES);

    private final MemorySegment replica;

    public PageBatchApplier(final MemorySegment replica) {
        this.replica = replica;
    }

    /**
     * Applies one record.
     *
     * @return the offset of the next record
     */
    public long applyOne(final MemorySegment batch, final long offset) {
        final long pageOffset = PageRecord.page(batch, offset) * PageRecord.PAGE_BYTES;
        if (PageRecord.encoding(batch, offset) == PageRecord.ZERO) {
            MemorySegment.copy(ZERO_PAGE, 0, replica, pageOffset, PageRecord.PAGE_BYTES);
            return offset + PageRecord.HEADER_BYTES;
        }
        return applyBlocks(batch, offset, pageOffset);
    }

    private long applyBlocks(final MemorySegment batch, final long offset, final long pageOffset) {
        long remaining = PageRecord.mask(batch, offset);
        long from = offset + PageRecord.HEADER_BYTES;
        while (remaining != 0) {
            final int first = Long.numberOfTrailingZeros(remaining);
            final int run = Long.numberOfTrailingZeros(~(remaining >>> first));
            final long runBytes = (long) run * PageRecord.BLOCK_BYTES;
            MemorySegment.copy(batch, from, replica, pageOffset + (long) first * PageRecord.BLOCK_BYTES, runBytes);
            from += runBytes;
            remaining &= run == Long.SIZE ? 0 : ~(((1L << run) - 1) << first);
        }
        return from;
    }
}
