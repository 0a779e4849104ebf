package org.resilire.simd;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * SIMD with the widest vectors that the CPU prefers: a block is one vector of 512 bits, two of 256 or four of 128. Each
 * width has its own straight-line body, chosen by a constant, so that the JIT keeps the vectors in registers.
 *
 * <p>Vectors never cross a method of ours. The Vector API's own methods are always inlined, a helper like {@code load} is
 * only sometimes: once it has been compiled by itself and is found "too big", its callers box every vector, which costs
 * twenty times the time and 18 KB of garbage a page, for good, in one JVM run out of a few.
 */
public final class VectorBlockKernels implements BlockKernels {
    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long VECTOR_BYTES = SPECIES.vectorByteSize();
    private static final int VECTORS_PER_BLOCK = BLOCK_BYTES / SPECIES.vectorByteSize();
    private static final int UNROLL = 4;

    static boolean isSupported() {
        return VECTORS_PER_BLOCK == 1 || VECTORS_PER_BLOCK == 2 || VECTORS_PER_BLOCK == 4;
    }

    static String unsupportedReason() {
        return "vectors of " + SPECIES.vectorBitSize() + " bits do not divide a block of 512 into 1, 2 or 4";
    }

    @Override
    public String reason() {
        return "SIMD with " + SPECIES.vectorBitSize() + "-bit vectors";
    }

    @Override
    public long changedBlocks(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        return switch (VECTORS_PER_BLOCK) {
            case 1 -> changed1(a, aOffset, b, bOffset);
            case 2 -> changed2(a, aOffset, b, bOffset);
            default -> changed4(a, aOffset, b, bOffset);
        };
    }

    private static long changed1(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        long mask = 0;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            LongVector difference = LongVector.fromMemorySegment(SPECIES, a, aOffset + at, ORDER)
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, b, bOffset + at, ORDER));
            if (difference.compare(VectorOperators.NE, 0).anyTrue()) {
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static long changed2(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        long mask = 0;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            LongVector difference = LongVector.fromMemorySegment(SPECIES, a, aOffset + at, ORDER)
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, b, bOffset + at, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, a, aOffset + at + VECTOR_BYTES, ORDER)
                            .lanewise(
                                    VectorOperators.XOR,
                                    LongVector.fromMemorySegment(SPECIES, b, bOffset + at + VECTOR_BYTES, ORDER)));
            if (difference.compare(VectorOperators.NE, 0).anyTrue()) {
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static long changed4(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        long mask = 0;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            LongVector difference = LongVector.fromMemorySegment(SPECIES, a, aOffset + at, ORDER)
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, b, bOffset + at, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, a, aOffset + at + VECTOR_BYTES, ORDER)
                            .lanewise(
                                    VectorOperators.XOR,
                                    LongVector.fromMemorySegment(SPECIES, b, bOffset + at + VECTOR_BYTES, ORDER)))
                    .or(LongVector.fromMemorySegment(SPECIES, a, aOffset + at + 2 * VECTOR_BYTES, ORDER)
                            .lanewise(
                                    VectorOperators.XOR,
                                    LongVector.fromMemorySegment(SPECIES, b, bOffset + at + 2 * VECTOR_BYTES, ORDER)))
                    .or(LongVector.fromMemorySegment(SPECIES, a, aOffset + at + 3 * VECTOR_BYTES, ORDER)
                            .lanewise(
                                    VectorOperators.XOR,
                                    LongVector.fromMemorySegment(SPECIES, b, bOffset + at + 3 * VECTOR_BYTES, ORDER)));
            if (difference.compare(VectorOperators.NE, 0).anyTrue()) {
                mask |= 1L << block;
            }
        }
        return mask;
    }

    @Override
    public long captureChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        return switch (VECTORS_PER_BLOCK) {
            case 1 -> capture1(guest, guestOffset, shadow, shadowOffset, out, outOffset);
            case 2 -> capture2(guest, guestOffset, shadow, shadowOffset, out, outOffset);
            default -> capture4(guest, guestOffset, shadow, shadowOffset, out, outOffset);
        };
    }

    private static long capture1(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        long mask = 0;
        long to = outOffset;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            LongVector now = LongVector.fromMemorySegment(SPECIES, guest, guestOffset + at, ORDER);
            if (now.lanewise(
                            VectorOperators.XOR,
                            LongVector.fromMemorySegment(SPECIES, shadow, shadowOffset + at, ORDER))
                    .compare(VectorOperators.NE, 0)
                    .anyTrue()) {
                now.intoMemorySegment(shadow, shadowOffset + at, ORDER);
                now.intoMemorySegment(out, to, ORDER);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static long capture2(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        long mask = 0;
        long to = outOffset;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = guestOffset + (long) block * BLOCK_BYTES;
            long old = shadowOffset + (long) block * BLOCK_BYTES;
            LongVector now0 = LongVector.fromMemorySegment(SPECIES, guest, at, ORDER);
            LongVector now1 = LongVector.fromMemorySegment(SPECIES, guest, at + VECTOR_BYTES, ORDER);
            LongVector difference = now0.lanewise(
                            VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, shadow, old, ORDER))
                    .or(now1.lanewise(
                            VectorOperators.XOR,
                            LongVector.fromMemorySegment(SPECIES, shadow, old + VECTOR_BYTES, ORDER)));
            if (difference.compare(VectorOperators.NE, 0).anyTrue()) {
                now0.intoMemorySegment(shadow, old, ORDER);
                now1.intoMemorySegment(shadow, old + VECTOR_BYTES, ORDER);
                now0.intoMemorySegment(out, to, ORDER);
                now1.intoMemorySegment(out, to + VECTOR_BYTES, ORDER);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static long capture4(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        long mask = 0;
        long to = outOffset;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = guestOffset + (long) block * BLOCK_BYTES;
            long old = shadowOffset + (long) block * BLOCK_BYTES;
            LongVector now0 = LongVector.fromMemorySegment(SPECIES, guest, at, ORDER);
            LongVector now1 = LongVector.fromMemorySegment(SPECIES, guest, at + VECTOR_BYTES, ORDER);
            LongVector now2 = LongVector.fromMemorySegment(SPECIES, guest, at + 2 * VECTOR_BYTES, ORDER);
            LongVector now3 = LongVector.fromMemorySegment(SPECIES, guest, at + 3 * VECTOR_BYTES, ORDER);
            LongVector difference = now0.lanewise(
                            VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, shadow, old, ORDER))
                    .or(now1.lanewise(
                            VectorOperators.XOR,
                            LongVector.fromMemorySegment(SPECIES, shadow, old + VECTOR_BYTES, ORDER)))
                    .or(now2.lanewise(
                            VectorOperators.XOR,
                            LongVector.fromMemorySegment(SPECIES, shadow, old + 2 * VECTOR_BYTES, ORDER)))
                    .or(now3.lanewise(
                            VectorOperators.XOR,
                            LongVector.fromMemorySegment(SPECIES, shadow, old + 3 * VECTOR_BYTES, ORDER)));
            if (difference.compare(VectorOperators.NE, 0).anyTrue()) {
                now0.intoMemorySegment(shadow, old, ORDER);
                now1.intoMemorySegment(shadow, old + VECTOR_BYTES, ORDER);
                now2.intoMemorySegment(shadow, old + 2 * VECTOR_BYTES, ORDER);
                now3.intoMemorySegment(shadow, old + 3 * VECTOR_BYTES, ORDER);
                now0.intoMemorySegment(out, to, ORDER);
                now1.intoMemorySegment(out, to + VECTOR_BYTES, ORDER);
                now2.intoMemorySegment(out, to + 2 * VECTOR_BYTES, ORDER);
                now3.intoMemorySegment(out, to + 3 * VECTOR_BYTES, ORDER);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    @Override
    public long copyChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        return switch (VECTORS_PER_BLOCK) {
            case 1 -> VectorCopyChanged.copy1(guest, guestOffset, shadow, shadowOffset, out, outOffset);
            case 2 -> VectorCopyChanged.copy2(guest, guestOffset, shadow, shadowOffset, out, outOffset);
            default -> VectorCopyChanged.copy4(guest, guestOffset, shadow, shadowOffset, out, outOffset);
        };
    }

    @Override
    public int xorLanes(
            MemorySegment blocks,
            long blocksOffset,
            long packed,
            long wanted,
            MemorySegment previous,
            long previousOffset,
            MemorySegment out,
            long outOffset) {
        return VECTORS_PER_BLOCK == 1
                ? VectorLanes.xor(blocks, blocksOffset, packed, wanted, previous, previousOffset, out, outOffset)
                : ScalarLanes.xor(blocks, blocksOffset, packed, wanted, previous, previousOffset, out, outOffset);
    }

    @Override
    public int applyLanes(MemorySegment lanes, long lanesOffset, long wanted, MemorySegment page, long pageOffset) {
        return VECTORS_PER_BLOCK == 1
                ? VectorLanes.apply(lanes, lanesOffset, wanted, page, pageOffset)
                : ScalarLanes.apply(lanes, lanesOffset, wanted, page, pageOffset);
    }

    @Override
    public long zeroBlocks(MemorySegment blocks, long offset, int count) {
        return switch (VECTORS_PER_BLOCK) {
            case 1 -> zeros1(blocks, offset, count);
            case 2 -> zeros2(blocks, offset, count);
            default -> zeros4(blocks, offset, count);
        };
    }

    private static long zeros1(MemorySegment blocks, long offset, int count) {
        long zeros = 0;
        for (int block = 0; block < count; block++) {
            long at = offset + (long) block * BLOCK_BYTES;
            LongVector any = LongVector.fromMemorySegment(SPECIES, blocks, at, ORDER);
            zeros |= (any.compare(VectorOperators.NE, 0).anyTrue() ? 0L : 1L) << block;
        }
        return zeros;
    }

    private static long zeros2(MemorySegment blocks, long offset, int count) {
        long zeros = 0;
        for (int block = 0; block < count; block++) {
            long at = offset + (long) block * BLOCK_BYTES;
            LongVector any = LongVector.fromMemorySegment(SPECIES, blocks, at, ORDER)
                    .or(LongVector.fromMemorySegment(SPECIES, blocks, at + VECTOR_BYTES, ORDER));
            zeros |= (any.compare(VectorOperators.NE, 0).anyTrue() ? 0L : 1L) << block;
        }
        return zeros;
    }

    private static long zeros4(MemorySegment blocks, long offset, int count) {
        long zeros = 0;
        for (int block = 0; block < count; block++) {
            long at = offset + (long) block * BLOCK_BYTES;
            LongVector any = LongVector.fromMemorySegment(SPECIES, blocks, at, ORDER)
                    .or(LongVector.fromMemorySegment(SPECIES, blocks, at + VECTOR_BYTES, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, blocks, at + 2 * VECTOR_BYTES, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, blocks, at + 3 * VECTOR_BYTES, ORDER));
            zeros |= (any.compare(VectorOperators.NE, 0).anyTrue() ? 0L : 1L) << block;
        }
        return zeros;
    }

    @Override
    public boolean sameBlock(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        for (long i = 0; i < BLOCK_BYTES; i += VECTOR_BYTES) {
            if (LongVector.fromMemorySegment(SPECIES, a, aOffset + i, ORDER)
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, b, bOffset + i, ORDER))
                    .compare(VectorOperators.NE, 0)
                    .anyTrue()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void xor(
            MemorySegment a,
            long aOffset,
            MemorySegment b,
            long bOffset,
            MemorySegment out,
            long outOffset,
            long lengthBytes) {
        long i = 0;
        for (; i + VECTOR_BYTES <= lengthBytes; i += VECTOR_BYTES) {
            LongVector.fromMemorySegment(SPECIES, a, aOffset + i, ORDER)
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, b, bOffset + i, ORDER))
                    .intoMemorySegment(out, outOffset + i, ORDER);
        }
        ScalarBlockKernels.xorTail(a, aOffset, b, bOffset, out, outOffset, i, lengthBytes);
    }

    @Override
    public boolean isZero(MemorySegment segment, long offset, long lengthBytes) {
        long i = 0;
        for (; i + UNROLL * VECTOR_BYTES <= lengthBytes; i += UNROLL * VECTOR_BYTES) {
            long at = offset + i;
            LongVector any = LongVector.fromMemorySegment(SPECIES, segment, at, ORDER)
                    .or(LongVector.fromMemorySegment(SPECIES, segment, at + VECTOR_BYTES, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, segment, at + 2 * VECTOR_BYTES, ORDER))
                    .or(LongVector.fromMemorySegment(SPECIES, segment, at + 3 * VECTOR_BYTES, ORDER));
            if (any.compare(VectorOperators.NE, 0).anyTrue()) {
                return false;
            }
        }
        for (; i + VECTOR_BYTES <= lengthBytes; i += VECTOR_BYTES) {
            if (LongVector.fromMemorySegment(SPECIES, segment, offset + i, ORDER)
                    .compare(VectorOperators.NE, 0)
                    .anyTrue()) {
                return false;
            }
        }
        return ScalarBlockKernels.isZeroTail(segment, offset, i, lengthBytes);
    }
}
