package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How one page travels within a batch: a header, then what the encoding says. Everything is little-endian; a record's length
 * is a multiple of 8 bytes.
 *
 * <pre>
 *   0          4          5      8                16
 *   +----------+----------+------+----------------+--------------------------+
 *   | page i32 | encoding | zero | block mask i64 | payload                  |
 *   +----------+----------+------+----------------+--------------------------+
 *   BLOCKS: bit i of the mask = block i of 64 B follows, in ascending order
 *   ZERO:   the page is all zero; the mask is 0 and nothing follows
 * </pre>
 */
public final class PageRecord {

    public static final int HEADER_BYTES = 16;
    public static final int BLOCK_BYTES = 64;
    public static final int PAGE_BYTES = 4096;
    public static final int MAX_BYTES = HEADER_BYTES + PAGE_BYTES;

    /** Encodings, as they stand in a record. */
    public static final byte BLOCKS = 0;

    public static final byte ZERO = 1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ENCODING_OFFSET = 4;
    private static final int MASK_OFFSET = 8;

    private PageRecord() {}

    /** Writes the header before a payload that stands at {@code offset + HEADER_BYTES} already. */
    public static void putHeader(
            final MemorySegment batch, final long offset, final long page, final byte encoding, final long mask) {
        batch.set(INT, offset, (int) page);
        batch.set(INT, offset + ENCODING_OFFSET, encoding);
        batch.set(LONG, offset + MASK_OFFSET, mask);
    }

    /** Page index, unsigned. */
    public static long page(final MemorySegment batch, final long offset) {
        return Integer.toUnsignedLong(batch.get(INT, offset));
    }

    /** Encoding with the reserved bytes above it, so that a peer that sets those is noticed. */
    static int encodingWord(final MemorySegment batch, final long offset) {
        return batch.get(INT, offset + ENCODING_OFFSET);
    }

    /** One of the encodings above. */
    public static byte encoding(final MemorySegment batch, final long offset) {
        return (byte) encodingWord(batch, offset);
    }

    /** Which blocks follow. */
    public static long mask(final MemorySegment batch, final long offset) {
        return batch.get(LONG, offset + MASK_OFFSET);
    }

    /** Length of a record with this mask. */
    public static int lengthBytes(final long mask) {
        return HEADER_BYTES + BLOCK_BYTES * Long.bitCount(mask);
    }
}
