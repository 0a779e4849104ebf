package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.resilire.simd.BlockKernels.BLOCK_BYTES;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Lanes that differ, eight bytes at a time; also the way of CPUs whose vectors cannot be compressed in one instruction. */
final class ScalarLanes {
    /** Lane 0 is the lowest byte of a word of masks on every machine. */
    private static final ValueLayout.OfLong LITTLE_ENDIAN = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ScalarLanes() {}

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
            out.set(LITTLE_ENDIAN, outOffset + masksBytes - Long.BYTES, 0);
        }
        long maskTo = outOffset;
        long to = outOffset + masksBytes;
        for (long left = wanted; left != 0; left &= left - 1) {
            long below = (left & -left) - 1;
            long from = blocksOffset + (long) Long.bitCount(packed & below) * BLOCK_BYTES;
            long old = previousOffset + (long) Long.bitCount(below) * BLOCK_BYTES;
            int lanes = 0;
            // Every lane is written, and kept only if it differs: no branch that could be mispredicted.
            for (int lane = 0; lane < Long.BYTES; lane++) {
                long at = (long) lane * Long.BYTES;
                long now = blocks.get(JAVA_LONG_UNALIGNED, from + at);
                long difference = now ^ previous.get(JAVA_LONG_UNALIGNED, old + at);
                int differs = (int) ((difference | -difference) >>> 63);
                out.set(JAVA_LONG_UNALIGNED, to, difference);
                to += (long) differs << 3;
                lanes |= differs << lane;
                previous.set(JAVA_LONG_UNALIGNED, old + at, now);
            }
            out.set(JAVA_BYTE, maskTo++, (byte) lanes);
        }
        return (int) (to - outOffset);
    }

    static int apply(MemorySegment in, long inOffset, long wanted, MemorySegment page, long pageOffset) {
        long maskFrom = inOffset;
        long from = inOffset + BlockKernels.laneMasksBytes(Long.bitCount(wanted));
        for (long left = wanted; left != 0; left &= left - 1) {
            long block = pageOffset + (long) Long.numberOfTrailingZeros(left) * BLOCK_BYTES;
            from = applyBlock(in, from, in.get(JAVA_BYTE, maskFrom++), page, block);
        }
        return (int) (from - inOffset);
    }

    /** Returns where the lanes of the next block are. */
    static long applyBlock(MemorySegment in, long inOffset, int lanes, MemorySegment page, long blockOffset) {
        long from = inOffset;
        for (int left = lanes & 0xff; left != 0; left &= left - 1) {
            long at = blockOffset + (long) Integer.numberOfTrailingZeros(left) * Long.BYTES;
            page.set(JAVA_LONG_UNALIGNED, at, page.get(JAVA_LONG_UNALIGNED, at) ^ in.get(JAVA_LONG_UNALIGNED, from));
            from += Long.BYTES;
        }
        return from;
    }
}
