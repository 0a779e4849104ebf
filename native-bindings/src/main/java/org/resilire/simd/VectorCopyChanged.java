package org.resilire.simd;

import static org.resilire.simd.BlockKernels.BLOCKS_PER_PAGE;
import static org.resilire.simd.BlockKernels.BLOCK_BYTES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Bodies of {@link VectorBlockKernels#copyChanged}: a block as one, two or four vectors. The shadow is only read. */
final class VectorCopyChanged {
    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long VECTOR_BYTES = SPECIES.vectorByteSize();

    private VectorCopyChanged() {}

    static long copy1(
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
                now.intoMemorySegment(out, to, ORDER);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    static long copy2(
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
                now0.intoMemorySegment(out, to, ORDER);
                now1.intoMemorySegment(out, to + VECTOR_BYTES, ORDER);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    static long copy4(
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
}
