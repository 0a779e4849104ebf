package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import org.resilire.simd.BlockKernels;

/** Writes validated page records into a replica's memory. Allocates nothing. Not thread-safe. */
public final class PageBatchApplier {

    private final MemorySegment replica;
    private final BlockKernels kernels;

    public PageBatchApplier(final MemorySegment replica) {
        this(replica, BlockKernels.preferred());
    }

    public PageBatchApplier(final MemorySegment replica, final BlockKernels kernels) {
        this.replica = replica;
        this.kernels = kernels;
    }

    /**
     * Applies one record. Records are applied in the order in which they were encoded: lanes and references are about what the
     * records before them left.
     *
     * @return the offset of the next record
     */
    public long applyOne(final MemorySegment batch, final long offset) {
        final long pageOffset = PageRecord.page(batch, offset) * PageRecord.PAGE_BYTES;
        final int word = PageRecord.word(batch, offset);
        long at = offset + PageRecord.HEADER_BYTES;
        if (PageRecord.encodingOf(word) == PageRecord.ZERO) {
            BlockRuns.zero(replica, pageOffset, -1L);
            return at;
        }
        final int flags = PageRecord.flagsOf(word);
        long blocks = PageRecord.mask(batch, offset);
        if ((flags & PageRecord.HAS_ZERO_BLOCKS) != 0) {
            final long zeros = batch.get(PageRecord.LONG, at);
            at += Long.BYTES;
            BlockRuns.zero(replica, pageOffset, zeros);
            blocks &= ~zeros;
        }
        if ((flags & PageRecord.HAS_SHARED) != 0) {
            final long shared = batch.get(PageRecord.LONG, at);
            at = applyReferences(batch, at + Long.BYTES, pageOffset, shared);
            blocks &= ~shared;
        }
        return PageRecord.encodingOf(word) == PageRecord.LANES
                ? at + kernels.applyLanes(batch, at, blocks, replica, pageOffset)
                : BlockRuns.unpack(batch, at, replica, pageOffset, blocks);
    }

    private long applyReferences(
            final MemorySegment batch, final long offset, final long pageOffset, final long shared) {
        long from = offset;
        for (long left = shared; left != 0; left &= left - 1) {
            final long source = Integer.toUnsignedLong(batch.get(PageRecord.INT, from)) << PageRecord.BLOCK_SHIFT;
            final long to = pageOffset + ((long) Long.numberOfTrailingZeros(left) << PageRecord.BLOCK_SHIFT);
            MemorySegment.copy(replica, source, replica, to, PageRecord.BLOCK_BYTES);
            from += Integer.BYTES;
        }
        return offset + PageRecord.referencesBytes(Long.bitCount(shared));
    }
}
