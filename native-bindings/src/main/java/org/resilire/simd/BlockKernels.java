package org.resilire.simd;

import java.lang.foreign.MemorySegment;

/**
 * What is done to every page of guest memory. A page has 4,096 bytes, a block 64; bit {@code i} of a mask is block {@code i}.
 * Offsets are in bytes and need no alignment. Implementations keep no state: any thread. They allocate nothing once the JIT
 * has compiled them ({@link #warmUp}). Native segments only, if they are to stay fast: the JIT specialises on the kind.
 */
public interface BlockKernels {
    int PAGE_BYTES = 4096;
    int BLOCK_BYTES = 64;
    int BLOCKS_PER_PAGE = PAGE_BYTES / BLOCK_BYTES;

    /** Which blocks of two pages differ. */
    long changedBlocks(MemorySegment a, long aOffset, MemorySegment b, long bOffset);

    /**
     * Compares a guest page with its shadow; blocks that differ are written packed, in order, to {@code out}, and into the
     * shadow. Each guest byte is loaded once, so what is sent and the shadow are the same bytes even if the guest writes
     * meanwhile. Returns the mask; {@code out} gets {@code 64 * bitCount(mask)} bytes and must have room for them.
     */
    long captureChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset);

    /**
     * {@link #captureChanged} without bringing the shadow up to date: whoever encodes the blocks does that ({@link #xorLanes}).
     * What is written are bytes that were compared, also if the guest writes meanwhile.
     */
    long copyChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset);

    /**
     * Writes how blocks differ from a page's previous version, and makes that version the new one. A block has eight lanes of
     * 8 bytes. To {@code out} go: one byte a block in question, in order, bit {@code i} for lane {@code i} being different;
     * these bytes padded with zeros to a multiple of 8; then, in order, {@code new ^ old} of the lanes that differ.
     *
     * @param blocks packed blocks of the page, in order
     * @param packed which blocks of the page these are
     * @param wanted the blocks in question, a subset of {@code packed}
     * @param previous holds the previous version of the page at {@code previousOffset}; only blocks in question are changed
     * @param out must have room for {@link #largestLanesBytes} from {@code outOffset}: scratch beyond what is returned may be
     *     overwritten
     * @return bytes written, a multiple of 8
     */
    int xorLanes(
            MemorySegment blocks,
            long blocksOffset,
            long packed,
            long wanted,
            MemorySegment previous,
            long previousOffset,
            MemorySegment out,
            long outOffset);

    /**
     * The way back: brings blocks of a page from the previous version to the new one. The caller has checked that all the lanes
     * that the first bytes announce are there.
     *
     * @param wanted the blocks in question, as they were for {@link #xorLanes}
     * @return bytes read
     */
    int applyLanes(MemorySegment lanes, long lanesOffset, long wanted, MemorySegment page, long pageOffset);

    /** Which of up to 64 blocks that stand one behind the other are all zeros: bit {@code i} is the block at {@code 64 * i}. */
    long zeroBlocks(MemorySegment blocks, long offset, int count);

    /** Whether two blocks have the same content. */
    boolean sameBlock(MemorySegment a, long aOffset, MemorySegment b, long bOffset);

    /** Room that {@link #xorLanes} needs for so many blocks. */
    static int largestLanesBytes(int blockCount) {
        return laneMasksBytes(blockCount) + blockCount * BLOCK_BYTES;
    }

    /** Length of the bytes that say which lanes of so many blocks differ, with their padding. */
    static int laneMasksBytes(int blockCount) {
        return (blockCount + Long.BYTES - 1) & -Long.BYTES;
    }

    /** {@code out = a ^ b}, of any length. {@code out} may be exactly {@code a} or {@code b}, but not overlap them otherwise. */
    void xor(
            MemorySegment a,
            long aOffset,
            MemorySegment b,
            long bOffset,
            MemorySegment out,
            long outOffset,
            long lengthBytes);

    /** Whether a range, of any length, is all zeros. */
    boolean isZero(MemorySegment segment, long offset, long lengthBytes);

    /** Which implementation this is, and if it is not SIMD, why. */
    String reason();

    /**
     * Works on scratch memory until the JIT is steady, at most two seconds. Cold vector code takes most of a millisecond a
     * page: call this before the first page that anybody waits for.
     */
    default void warmUp() {
        KernelWarmUp.run(this);
    }

    /** The fastest for this JVM and CPU, chosen once. */
    static BlockKernels preferred() {
        return PreferredKernels.INSTANCE;
    }
}
