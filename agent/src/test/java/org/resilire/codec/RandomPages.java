package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
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
            Arrays.fill(model, base, base + PageRecord.PAGE_BYTES, (byte) 0);
            return PageRecord.HEADER_BYTES;
        }
        long to = at + PageRecord.HEADER_BYTES;
        int flags = 0;
        final long zeros = random.nextInt(3) == 0 ? mask & random.nextLong() : 0;
        if (zeros != 0) {
            flags |= PageRecord.HAS_ZERO_BLOCKS;
            batch.set(PageRecord.LONG, to, zeros);
            to += Long.BYTES;
            for (int block = 0; block < BLOCKS; block++) {
                if (contains(zeros, block)) {
                    final int from = base + block * PageRecord.BLOCK_BYTES;
                    Arrays.fill(model, from, from + PageRecord.BLOCK_BYTES, (byte) 0);
                }
            }
        }
        final long shared = pageCount > 1 && random.nextInt(3) == 0 ? mask & ~zeros & random.nextLong() : 0;
        if (shared != 0) {
            flags |= PageRecord.HAS_SHARED;
            batch.set(PageRecord.LONG, to, shared);
            to = writeShared(batch, to + Long.BYTES, page, shared, model);
        }
        final long rest = mask & ~(zeros | shared);
        final byte encoding = rest != 0 && random.nextInt(3) == 0 ? PageRecord.LANES : PageRecord.BLOCKS;
        PageRecord.putHeader(batch, at, page, encoding, flags, mask);
        to = encoding == PageRecord.LANES
                ? writeLanes(batch, to, base, rest, model)
                : writeBlocks(batch, to, base, rest, model);
        return to - at;
    }

    private long writeShared(
            final MemorySegment batch, final long at, final int page, final long shared, final byte[] model) {
        long to = at;
        for (int block = 0; block < BLOCKS; block++) {
            if (contains(shared, block)) {
                final int otherPage = (page + 1 + random.nextInt(pageCount - 1)) % pageCount;
                final int source = otherPage * BLOCKS + random.nextInt(BLOCKS);
                batch.set(PageRecord.INT, to, source);
                to += Integer.BYTES;
                System.arraycopy(
                        model,
                        source * PageRecord.BLOCK_BYTES,
                        model,
                        (page * BLOCKS + block) * PageRecord.BLOCK_BYTES,
                        PageRecord.BLOCK_BYTES);
            }
        }
        return pad(batch, to, at);
    }

    private long writeBlocks(
            final MemorySegment batch, final long at, final int base, final long mask, final byte[] model) {
        long to = at;
        for (int block = 0; block < BLOCKS; block++) {
            for (int i = 0; contains(mask, block) && i < PageRecord.BLOCK_BYTES; i++) {
                final byte value = (byte) random.nextInt();
                batch.set(ValueLayout.JAVA_BYTE, to++, value);
                model[base + block * PageRecord.BLOCK_BYTES + i] = value;
            }
        }
        return to;
    }

    private long writeLanes(
            final MemorySegment batch, final long at, final int base, final long mask, final byte[] model) {
        final int[] laneMasks = new int[BLOCKS];
        // A page of which every lane differs does not travel as lanes.
        final int common = Long.bitCount(mask) > 48 ? ~(1 << random.nextInt(8)) : -1;
        long to = at;
        for (int block = 0; block < BLOCKS; block++) {
            if (contains(mask, block)) {
                laneMasks[block] = random.nextInt(256) & common;
                batch.set(ValueLayout.JAVA_BYTE, to++, (byte) laneMasks[block]);
            }
        }
        to = pad(batch, to, at);
        for (int i = 0; i < BLOCKS * 8; i++) {
            if ((laneMasks[i / 8] >>> i % 8 & 1) != 0) {
                for (int b = 0; b < 8; b++) {
                    final byte difference = (byte) random.nextInt();
                    batch.set(ValueLayout.JAVA_BYTE, to++, difference);
                    model[base + i * 8 + b] ^= difference;
                }
            }
        }
        return to;
    }

    private static long pad(final MemorySegment batch, final long end, final long start) {
        long to = end;
        while ((to - start) % Long.BYTES != 0) {
            batch.set(ValueLayout.JAVA_BYTE, to++, (byte) 0);
        }
        return to;
    }

    private static boolean contains(final long mask, final int block) {
        return (mask >>> block & 1) != 0;
    }
}
