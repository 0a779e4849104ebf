package org.resilire.simd;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * SIMD with the widest vectors that the CPU prefers: a block is one vector of 512 bits, two of 256 or four of 128. Each
 * width has its own straight-line body, chosen by a constant, so that the JIT keeps the vectors in registers.
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
        long mask = 0;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            if (differ(a, aOffset + at, b, bOffset + at)) {
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static boolean differ(MemorySegment a, long aAt, MemorySegment b, long bAt) {
        LongVector difference = load(a, aAt).lanewise(VectorOperators.XOR, load(b, bAt));
        if (VECTORS_PER_BLOCK >= 2) {
            difference = difference.or(xorAt(a, aAt, b, bAt, VECTOR_BYTES));
        }
        if (VECTORS_PER_BLOCK == 4) {
            difference = difference.or(xorAt(a, aAt, b, bAt, 2 * VECTOR_BYTES));
            difference = difference.or(xorAt(a, aAt, b, bAt, 3 * VECTOR_BYTES));
        }
        return isNonZero(difference);
    }

    private static LongVector xorAt(MemorySegment a, long aAt, MemorySegment b, long bAt, long offset) {
        return load(a, aAt + offset).lanewise(VectorOperators.XOR, load(b, bAt + offset));
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
            LongVector now = load(guest, guestOffset + at);
            if (isNonZero(now.lanewise(VectorOperators.XOR, load(shadow, shadowOffset + at)))) {
                store(now, shadow, shadowOffset + at);
                store(now, out, to);
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
            LongVector now0 = load(guest, at);
            LongVector now1 = load(guest, at + VECTOR_BYTES);
            LongVector difference = now0.lanewise(VectorOperators.XOR, load(shadow, old))
                    .or(now1.lanewise(VectorOperators.XOR, load(shadow, old + VECTOR_BYTES)));
            if (isNonZero(difference)) {
                store(now0, shadow, old);
                store(now1, shadow, old + VECTOR_BYTES);
                store(now0, out, to);
                store(now1, out, to + VECTOR_BYTES);
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
            LongVector now0 = load(guest, at);
            LongVector now1 = load(guest, at + VECTOR_BYTES);
            LongVector now2 = load(guest, at + 2 * VECTOR_BYTES);
            LongVector now3 = load(guest, at + 3 * VECTOR_BYTES);
            LongVector difference = now0.lanewise(VectorOperators.XOR, load(shadow, old))
                    .or(now1.lanewise(VectorOperators.XOR, load(shadow, old + VECTOR_BYTES)))
                    .or(now2.lanewise(VectorOperators.XOR, load(shadow, old + 2 * VECTOR_BYTES)))
                    .or(now3.lanewise(VectorOperators.XOR, load(shadow, old + 3 * VECTOR_BYTES)));
            if (isNonZero(difference)) {
                store(now0, shadow, old);
                store(now1, shadow, old + VECTOR_BYTES);
                store(now2, shadow, old + 2 * VECTOR_BYTES);
                store(now3, shadow, old + 3 * VECTOR_BYTES);
                store(now0, out, to);
                store(now1, out, to + VECTOR_BYTES);
                store(now2, out, to + 2 * VECTOR_BYTES);
                store(now3, out, to + 3 * VECTOR_BYTES);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
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
            store(load(a, aOffset + i).lanewise(VectorOperators.XOR, load(b, bOffset + i)), out, outOffset + i);
        }
        ScalarBlockKernels.xorTail(a, aOffset, b, bOffset, out, outOffset, i, lengthBytes);
    }

    @Override
    public boolean isZero(MemorySegment segment, long offset, long lengthBytes) {
        long i = 0;
        for (; i + UNROLL * VECTOR_BYTES <= lengthBytes; i += UNROLL * VECTOR_BYTES) {
            long at = offset + i;
            LongVector any = load(segment, at)
                    .or(load(segment, at + VECTOR_BYTES))
                    .or(load(segment, at + 2 * VECTOR_BYTES))
                    .or(load(segment, at + 3 * VECTOR_BYTES));
            if (isNonZero(any)) {
                return false;
            }
        }
        for (; i + VECTOR_BYTES <= lengthBytes; i += VECTOR_BYTES) {
            if (isNonZero(load(segment, offset + i))) {
                return false;
            }
        }
        return ScalarBlockKernels.isZeroTail(segment, offset, i, lengthBytes);
    }

    private static LongVector load(MemorySegment segment, long at) {
        return LongVector.fromMemorySegment(SPECIES, segment, at, ORDER);
    }

    private static void store(LongVector vector, MemorySegment segment, long at) {
        vector.intoMemorySegment(segment, at, ORDER);
    }

    private static boolean isNonZero(LongVector vector) {
        return vector.compare(VectorOperators.NE, 0).anyTrue();
    }
}
