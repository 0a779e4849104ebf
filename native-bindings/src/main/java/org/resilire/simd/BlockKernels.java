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
