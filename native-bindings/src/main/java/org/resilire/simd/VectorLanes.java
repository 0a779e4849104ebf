package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.resilire.simd.BlockKernels.BLOCK_BYTES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Lanes that differ, where a block is one vector: 512 bits come with instructions that compress and expand it. Narrower
 * vectors have none that the JIT always uses, and are left to {@link ScalarLanes}.
 */
final class VectorLanes {
    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private VectorLanes() {}

    static int xor(
            MemorySegment blocks,
            long blocksOffset,
            long packed,
            long wanted,
            MemorySegment previous,
            long previousOffset,
            MemorySegment out,
            long outOffset) {
        int masksBytes = BlockKernels.laneMasksBytes(Long.bitCount(wanted));
        if (masksBytes != 0) {
            out.set(JAVA_LONG_UNALIGNED, outOffset + masksBytes - Long.BYTES, 0);
        }
        long maskTo = outOffset;
        long to = outOffset + masksBytes;
        for (long left = wanted; left != 0; left &= left - 1) {
            long below = (left & -left) - 1;
            long from = blocksOffset + (long) Long.bitCount(packed & below) * BLOCK_BYTES;
            long old = previousOffset + (long) Long.bitCount(below) * BLOCK_BYTES;
            LongVector now = LongVector.fromMemorySegment(SPECIES, blocks, from, ORDER);
            LongVector difference =
                    now.lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, previous, old, ORDER));
            VectorMask<Long> differs = difference.compare(VectorOperators.NE, 0);
            long lanes = differs.toLong();
            // A whole vector is stored; what is too much the next block overwrites, and behind the last one there is
            // room.
            difference.compress(differs).intoMemorySegment(out, to, ORDER);
            now.intoMemorySegment(previous, old, ORDER);
            to += (long) Long.bitCount(lanes) * Long.BYTES;
            out.set(JAVA_BYTE, maskTo++, (byte) lanes);
        }
        return (int) (to - outOffset);
    }

    static int apply(MemorySegment in, long inOffset, long wanted, MemorySegment page, long pageOffset) {
        long maskFrom = inOffset;
        long from = inOffset + BlockKernels.laneMasksBytes(Long.bitCount(wanted));
        // From here on a whole vector would be read from behind the end of the segment.
        long lastVector = in.byteSize() - BLOCK_BYTES;
        for (long left = wanted; left != 0; left &= left - 1) {
            long block = pageOffset + (long) Long.numberOfTrailingZeros(left) * BLOCK_BYTES;
            byte lanes = in.get(JAVA_BYTE, maskFrom++);
            if (from > lastVector) {
                from = ScalarLanes.applyBlock(in, from, lanes, page, block);
                continue;
            }
            LongVector.fromMemorySegment(SPECIES, in, from, ORDER)
                    .expand(VectorMask.fromLong(SPECIES, lanes & 0xff))
                    .lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(SPECIES, page, block, ORDER))
                    .intoMemorySegment(page, block, ORDER);
            from += (long) Integer.bitCount(lanes & 0xff) * Long.BYTES;
        }
        return (int) (from - inOffset);
    }
}
