package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;

/**
 * Where in sent memory a block of some content was last seen. (FGBI, OPODIS 2011: block sharing.) Bounded, off-heap: sets of
 * eight entries, a cache line each; in a full set one gives way, another each time. An entry is 8 bytes: 32 bits of the hash,
 * never 0, above the index of the block. Nothing is removed when a block is overwritten: an entry is a hint, and counts only
 * once the bytes have been compared. Not thread-safe.
 */
public final class SharingIndex implements AutoCloseable {

    private static final int WAYS = 8;
    private static final int SET_BYTES = WAYS * Long.BYTES;
    private static final long BLOCK_BITS = 0xFFFF_FFFFL;
    private static final long SCRATCH_BYTES = 2L * PageRecord.BLOCKS_PER_PAGE * Long.BYTES;
    private static final long NONE = -1;

    private final BlockHash hash;
    private final BlockKernels kernels;
    private final AnonymousMemory table;
    private final AnonymousMemory scratchMemory;
    private final MemorySegment sets;
    private final MemorySegment scratch;
    private final long setMask;
    private final SharingWorth worth = new SharingWorth();

    private long searched;
    private long hits;
    private long collisions;
    private long staleHits;
    private long evictions;

    /** @param capacityBytes memory for entries, rounded down to a power of two, at least 64 */
    public SharingIndex(final long capacityBytes, final BlockKernels kernels) {
        this(capacityBytes, kernels, new FoldedHash());
    }

    SharingIndex(final long capacityBytes, final BlockKernels kernels, final BlockHash hash) {
        if (capacityBytes < SET_BYTES) {
            throw new IllegalArgumentException(
                    "a sharing index of " + capacityBytes + " bytes: " + SET_BYTES + " is the least");
        }
        this.hash = hash;
        this.kernels = kernels;
        this.table = AnonymousMemory.reserveHuge("the sharing index", Long.highestOneBit(capacityBytes));
        this.sets = table.segment();
        this.setMask = table.lengthBytes() / SET_BYTES - 1;
        this.scratchMemory = AnonymousMemory.reserve("hashes of a page's blocks", SCRATCH_BYTES);
        this.scratch = scratchMemory.segment();
    }

    /**
     * Looks for blocks of a page in other pages of sent memory, and remembers those that were not found.
     *
     * @param packed the page's blocks of {@code packedMask}, one behind the other, in order
     * @param wanted the blocks to look for, a subset; zero blocks should not be among them
     * @param sent what the backup holds before this page is applied
     * @param references receives the index in {@code sent} of every block found, in order, 4 bytes each; must have room for
     *     all that are wanted
     * @return the blocks found
     */
    long share(
            final MemorySegment packed,
            final long packedOffset,
            final long packedMask,
            final long wanted,
            final MemorySegment sent,
            final long page,
            final MemorySegment references,
            final long referencesOffset) {
        // Three passes, so that the cache misses of one block overlap with those of the next. Blocks of one page cannot
        // refer to each other, so nothing is lost when none is entered before all were looked up.
        hashAll(packed, packedOffset, packedMask, wanted);
        final long looked = worth.isSampled() ? keepSample(wanted) : wanted;
        findAll(looked);
        final long shared =
                confirmAll(packed, packedOffset, packedMask, looked, sent, page, references, referencesOffset);
        searched += Long.bitCount(looked);
        worth.onSearched(Long.bitCount(looked), Long.bitCount(shared));
        return shared;
    }

    /** Leaves only the hashes of blocks in the sample, and returns these blocks. */
    private long keepSample(final long wanted) {
        long sample = 0;
        long to = 0;
        for (long left = wanted, i = 0; left != 0; left &= left - 1, i += Long.BYTES) {
            final long blockHash = scratch.get(PageRecord.LONG, i);
            if (SharingWorth.isInSample(blockHash)) {
                scratch.set(PageRecord.LONG, to, blockHash);
                to += Long.BYTES;
                sample |= left & -left;
            }
        }
        return sample;
    }

    private void hashAll(
            final MemorySegment packed, final long packedOffset, final long packedMask, final long wanted) {
        for (long left = wanted, i = 0; left != 0; left &= left - 1, i += Long.BYTES) {
            scratch.set(PageRecord.LONG, i, hash.hash(packed, blockOffset(packedOffset, packedMask, left)));
        }
    }

    private void findAll(final long wanted) {
        final long end = (long) Long.bitCount(wanted) * Long.BYTES;
        for (long i = 0; i < end; i += Long.BYTES) {
            scratch.set(PageRecord.LONG, SCRATCH_BYTES / 2 + i, entryOffset(scratch.get(PageRecord.LONG, i)));
        }
    }

    private long confirmAll(
            final MemorySegment packed,
            final long packedOffset,
            final long packedMask,
            final long wanted,
            final MemorySegment sent,
            final long page,
            final MemorySegment references,
            final long referencesOffset) {
        long shared = 0;
        long to = referencesOffset;
        for (long left = wanted, i = 0; left != 0; left &= left - 1, i += Long.BYTES) {
            final long blockHash = scratch.get(PageRecord.LONG, i);
            final long entryOffset = scratch.get(PageRecord.LONG, SCRATCH_BYTES / 2 + i);
            final long block = (page << PageRecord.BLOCKS_PER_PAGE_SHIFT) + Long.numberOfTrailingZeros(left);
            if (entryOffset == NONE) {
                remember(blockHash, block);
                continue;
            }
            final long candidate = sets.get(PageRecord.LONG, entryOffset) & BLOCK_BITS;
            if (candidate >>> PageRecord.BLOCKS_PER_PAGE_SHIFT == page) {
                continue;
            }
            final long blockOffset = blockOffset(packedOffset, packedMask, left);
            final long candidateOffset = candidate << PageRecord.BLOCK_SHIFT;
            if (kernels.sameBlock(packed, blockOffset, sent, candidateOffset)) {
                hits++;
                shared |= left & -left;
                references.set(PageRecord.INT, to, (int) candidate);
                to += Integer.BYTES;
            } else {
                countMismatch(blockHash, sent, candidateOffset);
                put(entryOffset, blockHash, block);
            }
        }
        return shared;
    }

    private static long blockOffset(final long packedOffset, final long packedMask, final long left) {
        final long below = (left & -left) - 1;
        return packedOffset + ((long) Long.bitCount(packedMask & below) << PageRecord.BLOCK_SHIFT);
    }

    /** If what stands there now leads to the same entry, it was not overwritten: the hashes collide. */
    private void countMismatch(final long blockHash, final MemorySegment sent, final long candidateOffset) {
        final long found = hash.hash(sent, candidateOffset);
        if (tag(found) == tag(blockHash) && setOffset(found) == setOffset(blockHash)) {
            collisions++;
        } else {
            staleHits++;
        }
    }

    private long entryOffset(final long blockHash) {
        final long tag = tag(blockHash);
        final long set = setOffset(blockHash);
        for (long way = 0; way < SET_BYTES; way += Long.BYTES) {
            if (sets.get(PageRecord.LONG, set + way) >>> Integer.SIZE == tag) {
                return set + way;
            }
        }
        return NONE;
    }

    /** The set may have got the same entry meanwhile, by another block of the same page: then that one stays. */
    private void remember(final long blockHash, final long block) {
        final long tag = tag(blockHash);
        final long set = setOffset(blockHash);
        for (long way = 0; way < SET_BYTES; way += Long.BYTES) {
            final long entry = sets.get(PageRecord.LONG, set + way);
            if (entry == 0) {
                put(set + way, blockHash, block);
                return;
            }
            if (entry >>> Integer.SIZE == tag) {
                return;
            }
        }
        put(set + (evictions & (WAYS - 1)) * Long.BYTES, blockHash, block);
        evictions++;
    }

    private void put(final long entryOffset, final long blockHash, final long block) {
        if (block < PageRecord.REFERABLE_BLOCKS) {
            sets.set(PageRecord.LONG, entryOffset, tag(blockHash) << Integer.SIZE | block);
        }
    }

    private static long tag(final long blockHash) {
        return blockHash >>> Integer.SIZE | 1;
    }

    private long setOffset(final long blockHash) {
        return (blockHash & setMask) * SET_BYTES;
    }

    /** Blocks that were looked for. */
    long searched() {
        return searched;
    }

    /** Blocks that were found, their bytes compared. */
    public long hits() {
        return hits;
    }

    /** Entries whose block has other bytes though the hash (as far as it is kept) is the same. */
    public long collisions() {
        return collisions;
    }

    /** Entries whose block was overwritten since. */
    public long staleHits() {
        return staleHits;
    }

    /** Entries that gave way in a full set. */
    public long evictions() {
        return evictions;
    }

    /** Memory for entries. */
    public long capacityBytes() {
        return table.lengthBytes();
    }

    @Override
    public void close() {
        table.close();
        scratchMemory.close();
    }
}
