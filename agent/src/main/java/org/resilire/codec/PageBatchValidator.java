package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import org.resilire.simd.BlockKernels;

/** Checks a whole batch of page records before any of it is believed. Stateless; any thread. */
public final class PageBatchValidator {

    private final long pageCount;

    /** @param pageCount pages of the replica; every record must name one of them */
    public PageBatchValidator(final long pageCount) {
        this.pageCount = pageCount;
    }

    /**
     * Accepts {@code recordCount} records that fill exactly {@code lengthBytes} from {@code offset}.
     *
     * @throws MalformedBatchException naming the first record that is wrong
     */
    public void validate(final MemorySegment batch, final long offset, final long lengthBytes, final int recordCount) {
        if (recordCount < 0 || offset < 0 || lengthBytes < 0 || lengthBytes > batch.byteSize() - offset) {
            throw new MalformedBatchException(recordCount + " records of " + lengthBytes + " bytes at " + offset
                    + " cannot be in " + batch.byteSize() + " bytes");
        }
        final long end = offset + lengthBytes;
        long at = offset;
        for (int i = 0; i < recordCount; i++) {
            at = validateOne(batch, at, end, i);
        }
        if (at != end) {
            throw new MalformedBatchException(end - at + " bytes follow the last record");
        }
    }

    /** Returns where the next record starts. */
    private long validateOne(final MemorySegment batch, final long offset, final long end, final int record) {
        if (end - offset < PageRecord.HEADER_BYTES) {
            throw wrong(record, "is cut off");
        }
        final long page = PageRecord.page(batch, offset);
        final long mask = PageRecord.mask(batch, offset);
        final int word = PageRecord.word(batch, offset);
        final byte encoding = PageRecord.encodingOf(word);
        final int flags = PageRecord.flagsOf(word);
        if (page >= pageCount) {
            throw wrong(record, "names page " + page + " of " + pageCount);
        }
        final boolean known = (encoding == PageRecord.BLOCKS || encoding == PageRecord.LANES)
                ? mask != 0 && PageRecord.flagsAreKnown(flags)
                : encoding == PageRecord.ZERO && mask == 0 && flags == 0;
        if (!known) {
            throw wrong(
                    record, "has encoding " + Integer.toHexString(word) + " with block mask " + Long.toHexString(mask));
        }
        long at = offset + PageRecord.HEADER_BYTES;
        long blocks = mask;
        if ((flags & PageRecord.HAS_ZERO_BLOCKS) != 0) {
            blocks &= ~subset(batch, at, end, blocks, record);
            at += Long.BYTES;
        }
        if ((flags & PageRecord.HAS_SHARED) != 0) {
            final long shared = subset(batch, at, end, blocks, record);
            blocks &= ~shared;
            at = validateReferences(batch, at + Long.BYTES, end, Long.bitCount(shared), page, record);
        }
        at = encoding == PageRecord.LANES
                ? validateLanes(batch, at, end, Long.bitCount(blocks), record)
                : at + (long) PageRecord.BLOCK_BYTES * Long.bitCount(blocks);
        if (at > end) {
            throw wrong(record, "reaches beyond the batch");
        }
        if (at - offset > PageRecord.MAX_BYTES) {
            throw wrong(record, "is larger than a page");
        }
        return at;
    }

    private static long subset(
            final MemorySegment batch, final long offset, final long end, final long blocks, final int record) {
        if (end - offset < Long.BYTES) {
            throw wrong(record, "is cut off");
        }
        final long mask = batch.get(PageRecord.LONG, offset);
        if (mask == 0 || (mask & ~blocks) != 0) {
            throw wrong(
                    record,
                    "has mask " + Long.toHexString(mask) + " within " + Long.toHexString(blocks) + " of its blocks");
        }
        return mask;
    }

    private long validateReferences(
            final MemorySegment batch,
            final long offset,
            final long end,
            final int count,
            final long page,
            final int record) {
        final int lengthBytes = PageRecord.referencesBytes(count);
        if (end - offset < lengthBytes) {
            throw wrong(record, "is cut off");
        }
        for (int i = 0; i < count; i++) {
            final long block = Integer.toUnsignedLong(batch.get(PageRecord.INT, offset + (long) i * Integer.BYTES));
            final long source = block >>> PageRecord.BLOCKS_PER_PAGE_SHIFT;
            if (source >= pageCount || source == page) {
                throw wrong(record, "of page " + page + " of " + pageCount + " refers to page " + source);
            }
        }
        if ((count & 1) != 0 && batch.get(PageRecord.INT, offset + (long) count * Integer.BYTES) != 0) {
            throw wrong(record, "has padding that is not zero");
        }
        return offset + lengthBytes;
    }

    private static long validateLanes(
            final MemorySegment batch, final long offset, final long end, final int blocks, final int record) {
        final int masksBytes = BlockKernels.laneMasksBytes(blocks);
        if (blocks == 0 || end - offset < masksBytes) {
            throw wrong(record, "has lanes of " + blocks + " blocks in " + (end - offset) + " bytes");
        }
        final int padding = masksBytes - blocks;
        final long lastWord = batch.get(PageRecord.LONG, offset + masksBytes - Long.BYTES);
        if (padding != 0 && lastWord >>> ((Long.BYTES - padding) * Byte.SIZE) != 0) {
            throw wrong(record, "has padding that is not zero");
        }
        return offset + masksBytes + (long) Long.BYTES * PageRecord.laneCount(batch, offset, offset + masksBytes);
    }

    /** Called only when something is wrong: the texts are not made on the way of good batches. */
    private static MalformedBatchException wrong(final int record, final String what) {
        return new MalformedBatchException("record " + record + " " + what);
    }
}
