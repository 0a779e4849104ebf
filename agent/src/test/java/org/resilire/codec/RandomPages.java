package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Writes random page records and, with plain loops, what they mean: the oracle of the codec's tests. */
public final class RandomPages {

    private static final int BLOCKS = PageRecord.PAGE_BYTES / PageRecord.BLOCK_BYTES;

    private final Random random;
    private final int pageCount;

    public RandomPages(final Random random, final int pageCount) {
        this.random = random;
        this.pageCount = pageCount;
    }

    /** A mask of one of the shapes that matter: none, all, one block, a run, every other, anything. */
    public long mask() {
        return switch (random.nextInt(7)) {
            case 0 -> 0;
            case 1 -> -1L;
            case 2 -> 1L << random.nextInt(BLOCKS);
            case 3 -> (-1L >>> random.nextInt(BLOCKS)) << random.nextInt(BLOCKS);
            case 4 -> 0x5555555555555555L << random.nextInt(2);
            case 5 -> sparse();
            default -> random.nextLong();
        };
    }

    private long sparse() {
        long mask = random.nextLong();
        mask &= random.nextLong();
        return mask & random.nextLong();
    }

    /**
     * Writes records one after the other.
     *
     * @param model the replica as it must be afterwards: changed here, byte by byte
     * @return their length in bytes
     */
    public long write(final MemorySegment batch, final long offset, final int recordCount, final byte[] model) {
        long at = offset;
        for (int i = 0; i < recordCount; i++) {
            at += writeOne(batch, at, random.nextInt(pageCount), mask(), model);
        }
        return at - offset;
    }

    private long writeOne(
            final MemorySegment batch, final long at, final int page, final long mask, final byte[] model) {
        final int base = page * PageRecord.PAGE_BYTES;
        if (mask == 0) {
            PageRecord.putHeader(batch, at, page, PageRecord.ZERO, 0);
            for (int i = 0; i < PageRecord.PAGE_BYTES; i++) {
                model[base + i] = 0;
            }
            return PageRecord.HEADER_BYTES;
        }
        PageRecord.putHeader(batch, at, page, PageRecord.BLOCKS, mask);
        long to = at + PageRecord.HEADER_BYTES;
        for (int block = 0; block < BLOCKS; block++) {
            if ((mask >>> block & 1) == 0) {
                continue;
            }
            for (int i = 0; i < PageRecord.BLOCK_BYTES; i++) {
                final byte value = (byte) random.nextInt();
                batch.set(ValueLayout.JAVA_BYTE, to++, value);
                model[base + block * PageRecord.BLOCK_BYTES + i] = value;
            }
        }
        return to - at;
    }
}
