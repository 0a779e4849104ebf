package org.resilire.codec;

import java.lang.foreign.MemorySegment;

/**
 * Eight longs, two at a time, by 128-bit products folded into 64 bits, the principle of wyhash and of XXH3 for short inputs. Small
 * enough to be inlined. A guest that makes collisions on purpose loses the sharing of its own blocks, no more.
 */
final class FoldedHash implements BlockHash {

    // Digits of the fractional part of the golden ratio and of square roots: odd, with no pattern.
    private static final long K0 = 0x9E3779B97F4A7C15L;
    private static final long K1 = 0xBB67AE8584CAA73BL;
    private static final long K2 = 0x3C6EF372FE94F82BL;
    private static final long K3 = 0xA54FF53A5F1D36F1L;

    @Override
    public long hash(final MemorySegment segment, final long offset) {
        final long a = fold(segment.get(PageRecord.LONG, offset) ^ K0, segment.get(PageRecord.LONG, offset + 8) ^ K1);
        final long b =
                fold(segment.get(PageRecord.LONG, offset + 16) ^ K1, segment.get(PageRecord.LONG, offset + 24) ^ K2);
        final long c =
                fold(segment.get(PageRecord.LONG, offset + 32) ^ K2, segment.get(PageRecord.LONG, offset + 40) ^ K3);
        final long d =
                fold(segment.get(PageRecord.LONG, offset + 48) ^ K3, segment.get(PageRecord.LONG, offset + 56) ^ K0);
        return fold((a + Long.rotateLeft(b, 17)) ^ K2, (c + Long.rotateLeft(d, 31)) ^ K3);
    }

    private static long fold(final long x, final long y) {
        return Math.multiplyHigh(x, y) ^ (x * y);
    }
}
