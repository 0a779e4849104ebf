package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Eight bytes at a time: the oracle of the SIMD kernels, and the way out where there is no SIMD. */
public final class ScalarBlockKernels implements BlockKernels {
    private final String reason;

    public ScalarBlockKernels() {
        this("plain 64-bit loads, as asked for");
    }

    ScalarBlockKernels(String reason) {
        this.reason = reason;
    }

    @Override
    public long changedBlocks(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        long mask = 0;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long at = (long) block * BLOCK_BYTES;
            long difference = 0;
            for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
                difference |=
                        a.get(JAVA_LONG_UNALIGNED, aOffset + at + i) ^ b.get(JAVA_LONG_UNALIGNED, bOffset + at + i);
            }
            if (difference != 0) {
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
        return packChanged(guest, guestOffset, shadow, shadowOffset, out, outOffset, true);
    }

    @Override
    public long copyChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset) {
        return packChanged(guest, guestOffset, shadow, shadowOffset, out, outOffset, false);
    }

    private static long packChanged(
            MemorySegment guest,
            long guestOffset,
            MemorySegment shadow,
            long shadowOffset,
            MemorySegment out,
            long outOffset,
            boolean bringsShadowUpToDate) {
        long mask = 0;
        long to = outOffset;
        for (int block = 0; block < BLOCKS_PER_PAGE; block++) {
            long from = guestOffset + (long) block * BLOCK_BYTES;
            long old = shadowOffset + (long) block * BLOCK_BYTES;
            // Eight locals, each loaded once: the guest may be writing.
            long v0 = guest.get(JAVA_LONG_UNALIGNED, from);
            long v1 = guest.get(JAVA_LONG_UNALIGNED, from + 8);
            long v2 = guest.get(JAVA_LONG_UNALIGNED, from + 16);
            long v3 = guest.get(JAVA_LONG_UNALIGNED, from + 24);
            long v4 = guest.get(JAVA_LONG_UNALIGNED, from + 32);
            long v5 = guest.get(JAVA_LONG_UNALIGNED, from + 40);
            long v6 = guest.get(JAVA_LONG_UNALIGNED, from + 48);
            long v7 = guest.get(JAVA_LONG_UNALIGNED, from + 56);
            long difference = (v0 ^ shadow.get(JAVA_LONG_UNALIGNED, old))
                    | (v1 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 8))
                    | (v2 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 16))
                    | (v3 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 24))
                    | (v4 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 32))
                    | (v5 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 40))
                    | (v6 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 48))
                    | (v7 ^ shadow.get(JAVA_LONG_UNALIGNED, old + 56));
            if (difference != 0) {
                if (bringsShadowUpToDate) {
                    store(shadow, old, v0, v1, v2, v3, v4, v5, v6, v7);
                }
                store(out, to, v0, v1, v2, v3, v4, v5, v6, v7);
                to += BLOCK_BYTES;
                mask |= 1L << block;
            }
        }
        return mask;
    }

    private static void store(
            MemorySegment into, long at, long v0, long v1, long v2, long v3, long v4, long v5, long v6, long v7) {
        into.set(JAVA_LONG_UNALIGNED, at, v0);
        into.set(JAVA_LONG_UNALIGNED, at + 8, v1);
        into.set(JAVA_LONG_UNALIGNED, at + 16, v2);
        into.set(JAVA_LONG_UNALIGNED, at + 24, v3);
        into.set(JAVA_LONG_UNALIGNED, at + 32, v4);
        into.set(JAVA_LONG_UNALIGNED, at + 40, v5);
        into.set(JAVA_LONG_UNALIGNED, at + 48, v6);
        into.set(JAVA_LONG_UNALIGNED, at + 56, v7);
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
        return ScalarLanes.xor(blocks, blocksOffset, packed, wanted, previous, previousOffset, out, outOffset);
    }

    @Override
    public int applyLanes(MemorySegment lanes, long lanesOffset, long wanted, MemorySegment page, long pageOffset) {
        return ScalarLanes.apply(lanes, lanesOffset, wanted, page, pageOffset);
    }

    @Override
    public long zeroBlocks(MemorySegment blocks, long offset, int count) {
        long zeros = 0;
        for (int block = 0; block < count; block++) {
            long at = offset + (long) block * BLOCK_BYTES;
            long any = 0;
            for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
                any |= blocks.get(JAVA_LONG_UNALIGNED, at + i);
            }
            if (any == 0) {
                zeros |= 1L << block;
            }
        }
        return zeros;
    }

    @Override
    public boolean sameBlock(MemorySegment a, long aOffset, MemorySegment b, long bOffset) {
        long difference = 0;
        for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
            difference |= a.get(JAVA_LONG_UNALIGNED, aOffset + i) ^ b.get(JAVA_LONG_UNALIGNED, bOffset + i);
        }
        return difference == 0;
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
        xorTail(a, aOffset, b, bOffset, out, outOffset, 0, lengthBytes);
    }

    /** Shared with the vector kernels, for what is left over behind the last whole vector. */
    static void xorTail(
            MemorySegment a,
            long aOffset,
            MemorySegment b,
            long bOffset,
            MemorySegment out,
            long outOffset,
            long done,
            long lengthBytes) {
        long i = done;
        for (; i + Long.BYTES <= lengthBytes; i += Long.BYTES) {
            long value = a.get(JAVA_LONG_UNALIGNED, aOffset + i) ^ b.get(JAVA_LONG_UNALIGNED, bOffset + i);
            out.set(JAVA_LONG_UNALIGNED, outOffset + i, value);
        }
        for (; i < lengthBytes; i++) {
            out.set(JAVA_BYTE, outOffset + i, (byte) (a.get(JAVA_BYTE, aOffset + i) ^ b.get(JAVA_BYTE, bOffset + i)));
        }
    }

    @Override
    public boolean isZero(MemorySegment segment, long offset, long lengthBytes) {
        return isZeroTail(segment, offset, 0, lengthBytes);
    }

    static boolean isZeroTail(MemorySegment segment, long offset, long done, long lengthBytes) {
        long i = done;
        for (; i + Long.BYTES <= lengthBytes; i += Long.BYTES) {
            if (segment.get(JAVA_LONG_UNALIGNED, offset + i) != 0) {
                return false;
            }
        }
        for (; i < lengthBytes; i++) {
            if (segment.get(JAVA_BYTE, offset + i) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String reason() {
        return reason;
    }
}
