package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Leaves the zero bytes out of a batch: null suppression, as databases do with columns (Abadi, Madden and Ferreira, SIGMOD 2006).
 * What changed within a word is mostly one or two of its bytes, and so is most of a record's header; LZ4 needs three bytes to say
 * that five are zero. It compresses what is left here better than the batch itself.
 *
 * <pre>
 *   for each word of 8 bytes, a byte: which of its bytes are not zero, the lowest address first
 *   these bytes, word by word
 * </pre>
 *
 * <p>Batches are whole words. Stateless, allocates nothing; any thread.
 */
final class ZeroByteSuppressor {

    /** Bytes behind both the longest suppressed batch and the longest restored one that may be read and written. */
    static final int SLACK_BYTES = Long.BYTES;

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOWEST_BITS = 0x0101_0101_0101_0101L;

    /** Brings bit 8n of a word to bit 56 + n of the product. */
    private static final long GATHER = 0x0102_0408_1020_4080L;

    /** 0xFF for each bit of a mask that is set. */
    private static final long[] BYTES_OF_MASK = new long[256];

    static {
        for (int mask = 0; mask < BYTES_OF_MASK.length; mask++) {
            for (int i = 0; i < Long.BYTES; i++) {
                BYTES_OF_MASK[mask] |= ((mask >> i) & 1) == 0 ? 0 : 0xFFL << (i * Byte.SIZE);
            }
        }
    }

    private ZeroByteSuppressor() {}

    /** What a batch without any zero byte comes to. */
    static int largestSuppressedBytes(final int batchBytes) {
        return batchBytes + batchBytes / Long.BYTES;
    }

    /**
     * Suppresses the zero bytes of a batch.
     *
     * @param lengthBytes of the batch, a multiple of 8
     * @param target has room for {@link #largestSuppressedBytes} and {@link #SLACK_BYTES}
     * @return length of what is left
     */
    static int suppress(
            final MemorySegment batch,
            final long batchOffset,
            final int lengthBytes,
            final MemorySegment target,
            final long targetOffset) {
        final int words = lengthBytes / Long.BYTES;
        long to = targetOffset + words;
        for (int i = 0; i < words; i++) {
            final long word = batch.get(WORD, batchOffset + (long) i * Long.BYTES);
            final int mask = nonZeroBytes(word);
            target.set(ValueLayout.JAVA_BYTE, targetOffset + i, (byte) mask);
            target.set(WORD, to, Long.compress(word, BYTES_OF_MASK[mask]));
            to += Integer.bitCount(mask);
        }
        return (int) (to - targetOffset);
    }

    /** How many of a word's bytes are zero. */
    static int zeroBytes(final long word) {
        return Long.BYTES - Integer.bitCount(nonZeroBytes(word));
    }

    private static int nonZeroBytes(final long word) {
        long bits = word | (word >>> 4);
        bits |= bits >>> 2;
        bits |= bits >>> 1;
        return (int) (((bits & LOWEST_BITS) * GATHER) >>> 56);
    }

    /**
     * Restores a batch.
     *
     * @param suppressed may be read {@link #SLACK_BYTES} beyond its end
     * @param suppressedBytes its length
     * @param target receives the batch; its bytes up to {@code batchBytes} and no others are written
     * @param batchBytes length of the batch, a multiple of 8
     * @throws MalformedBatchException if the masks do not match the length; nothing is written then
     */
    static void restore(
            final MemorySegment suppressed,
            final long suppressedOffset,
            final int suppressedBytes,
            final MemorySegment target,
            final long targetOffset,
            final int batchBytes) {
        final int words = batchBytes / Long.BYTES;
        if (batchBytes % Long.BYTES != 0 || suppressedBytes < words) {
            throw new MalformedBatchException(
                    "a batch of " + batchBytes + " bytes cannot be restored from " + suppressedBytes);
        }
        int expectedBytes = words;
        for (int i = 0; i < words; i++) {
            expectedBytes += Integer.bitCount(mask(suppressed, suppressedOffset + i));
        }
        if (expectedBytes != suppressedBytes) {
            throw new MalformedBatchException(
                    "a batch without its zero bytes has " + suppressedBytes + " bytes, its masks say " + expectedBytes);
        }
        long from = suppressedOffset + words;
        for (int i = 0; i < words; i++) {
            final int mask = mask(suppressed, suppressedOffset + i);
            target.set(
                    WORD,
                    targetOffset + (long) i * Long.BYTES,
                    Long.expand(suppressed.get(WORD, from), BYTES_OF_MASK[mask]));
            from += Integer.bitCount(mask);
        }
    }

    private static int mask(final MemorySegment masks, final long offset) {
        return Byte.toUnsignedInt(masks.get(ValueLayout.JAVA_BYTE, offset));
    }
}
