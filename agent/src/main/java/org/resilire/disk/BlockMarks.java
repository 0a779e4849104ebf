package org.resilire.disk;

import java.util.concurrent.atomic.AtomicLongArray;

/** A set of a disk's blocks. One thread adds while another looks and removes; nobody waits. */
public final class BlockMarks {

    private final AtomicLongArray words;
    private final long blocks;

    /** An empty set of a disk of so many blocks of {@link DirtyBitmap#BLOCK_BYTES}. */
    public BlockMarks(final long blocks) {
        this.blocks = blocks;
        words = new AtomicLongArray(Math.toIntExact((blocks + Long.SIZE - 1) / Long.SIZE));
    }

    /** Adds a block; one that the disk does not have is nobody's. */
    public void add(final long block) {
        if (block >= 0 && block < blocks) {
            words.getAndAccumulate((int) (block / Long.SIZE), 1L << block, (word, bit) -> word | bit);
        }
    }

    /** Removes a block. */
    public void remove(final long block) {
        words.getAndAccumulate((int) (block / Long.SIZE), ~(1L << block), (word, rest) -> word & rest);
    }

    /** The first block of the set from there on, -1 if none. */
    public long next(final long fromBlock) {
        for (long block = fromBlock; block < blocks; block = (block & -Long.SIZE) + Long.SIZE) {
            final long word = words.get((int) (block / Long.SIZE)) & (-1L << block);
            if (word != 0) {
                return (block & -Long.SIZE) + Long.numberOfTrailingZeros(word);
            }
        }
        return -1;
    }
}
