package org.resilire.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Copies the blocks of a mask, neighbours in one go. Stateless. */
public final class BlockRuns {

    private static final MemorySegment ZERO_PAGE = Arena.global().allocate(PageRecord.PAGE_BYTES);

    private BlockRuns() {}

    /** Packs blocks of a page, in order: what a record's payload is. */
    public static void pack(
            final MemorySegment pages,
            final long pageOffset,
            final long mask,
            final MemorySegment out,
            final long outOffset) {
        // Packed as they are, all the blocks of a page are the page.
        repack(pages, pageOffset, -1L, mask, out, outOffset);
    }

    /** Puts packed blocks into their places in a page; returns the offset behind the last one. */
    static long unpack(
            final MemorySegment packed,
            final long packedOffset,
            final MemorySegment pages,
            final long pageOffset,
            final long mask) {
        long remaining = mask;
        long from = packedOffset;
        while (remaining != 0) {
            final int first = Long.numberOfTrailingZeros(remaining);
            final int run = run(remaining, first);
            final long runBytes = (long) run << PageRecord.BLOCK_SHIFT;
            MemorySegment.copy(packed, from, pages, pageOffset + ((long) first << PageRecord.BLOCK_SHIFT), runBytes);
            from += runBytes;
            remaining = without(remaining, first, run);
        }
        return from;
    }

    /** Packs some of the blocks that are packed already; returns the offset behind the last one. */
    static long repack(
            final MemorySegment packed,
            final long packedOffset,
            final long packedMask,
            final long mask,
            final MemorySegment out,
            final long outOffset) {
        // Among the blocks that are there, those that are wanted: neighbours in this mask are neighbours in memory.
        long remaining = Long.compress(mask, packedMask);
        long to = outOffset;
        while (remaining != 0) {
            final int first = Long.numberOfTrailingZeros(remaining);
            final int run = run(remaining, first);
            final long runBytes = (long) run << PageRecord.BLOCK_SHIFT;
            MemorySegment.copy(packed, packedOffset + ((long) first << PageRecord.BLOCK_SHIFT), out, to, runBytes);
            to += runBytes;
            remaining = without(remaining, first, run);
        }
        return to;
    }

    /** Makes blocks of a page zero. */
    static void zero(final MemorySegment pages, final long pageOffset, final long mask) {
        long remaining = mask;
        while (remaining != 0) {
            final int first = Long.numberOfTrailingZeros(remaining);
            final int run = run(remaining, first);
            final long to = pageOffset + ((long) first << PageRecord.BLOCK_SHIFT);
            MemorySegment.copy(ZERO_PAGE, 0, pages, to, (long) run << PageRecord.BLOCK_SHIFT);
            remaining = without(remaining, first, run);
        }
    }

    private static int run(final long mask, final int first) {
        return Long.numberOfTrailingZeros(~(mask >>> first));
    }

    private static long without(final long mask, final int first, final int run) {
        return run == Long.SIZE ? 0 : mask & ~(((1L << run) - 1) << first);
    }
}
