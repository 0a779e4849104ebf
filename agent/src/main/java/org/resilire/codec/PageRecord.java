package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.resilire.simd.BlockKernels;

/**
 * How one page travels within a batch: a header, then what encoding and flags say. Everything is little-endian; a record's
 * length is a multiple of 8 bytes and at most {@link #MAX_BYTES}.
 *
 * <pre>
 *   0          4          5       6      8                16
 *   +----------+----------+-------+------+----------------+
 *   | page u32 | encoding | flags | zero | block mask i64 |
 *   +----------+----------+-------+------+----------------+
 *   [ zero mask i64   ]  if HAS_ZERO_BLOCKS: these blocks become zero; nothing else of them travels
 *   [ shared mask i64 ]  if HAS_SHARED: these blocks are copies of other blocks of the replica, as it is when this record is
 *   [ u32 …, padding  ]  applied: one index (page * 64 + block) each, of another page; padded with zeros to 8 bytes
 *   the blocks of the mask that are neither zero nor shared, in ascending order:
 *     BLOCKS  64 bytes each
 *     LANES   one byte each: which of its eight lanes of 8 bytes differ from the block's previous content; these bytes padded
 *             with zeros to 8; then new ^ old of every lane that differs
 *     ZERO    the whole page is zero: mask and flags are 0 and nothing follows
 * </pre>
 *
 * <p>A captured record, before encoding, is a record of BLOCKS or ZERO without flags.
 */
public final class PageRecord {

    public static final int HEADER_BYTES = 16;
    public static final int BLOCK_BYTES = 64;
    public static final int PAGE_BYTES = 4096;
    public static final int BLOCKS_PER_PAGE = PAGE_BYTES / BLOCK_BYTES;
    public static final int MAX_BYTES = HEADER_BYTES + PAGE_BYTES;

    /** Encodings, as they stand in a record. */
    public static final byte BLOCKS = 0;

    public static final byte ZERO = 1;
    public static final byte LANES = 2;

    /** Flags, as they stand in a record. */
    public static final byte HAS_ZERO_BLOCKS = 1;

    public static final byte HAS_SHARED = 2;

    /** What a reference can name: a guest above 256 GiB shares only from there down. */
    static final long REFERABLE_BLOCKS = 1L << Integer.SIZE;

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final int BLOCKS_PER_PAGE_SHIFT = 6;
    static final int BLOCK_SHIFT = 6;
    private static final int ENCODING_OFFSET = 4;
    private static final int MASK_OFFSET = 8;
    private static final int KNOWN_FLAGS = HAS_ZERO_BLOCKS | HAS_SHARED;

    private PageRecord() {}

    /** Writes the header before a payload that stands at {@code offset + HEADER_BYTES} already. */
    public static void putHeader(
            final MemorySegment batch, final long offset, final long page, final byte encoding, final long mask) {
        putHeader(batch, offset, page, encoding, 0, mask);
    }

    static void putHeader(
            final MemorySegment batch,
            final long offset,
            final long page,
            final byte encoding,
            final int flags,
            final long mask) {
        batch.set(INT, offset, (int) page);
        batch.set(INT, offset + ENCODING_OFFSET, encoding | flags << Byte.SIZE);
        batch.set(LONG, offset + MASK_OFFSET, mask);
    }

    /** Page index, unsigned. */
    public static long page(final MemorySegment batch, final long offset) {
        return Integer.toUnsignedLong(batch.get(INT, offset));
    }

    /** Encoding and flags with the reserved bytes above them, so that a peer that sets those is noticed. */
    static int word(final MemorySegment batch, final long offset) {
        return batch.get(INT, offset + ENCODING_OFFSET);
    }

    /** One of the encodings above. */
    public static byte encoding(final MemorySegment batch, final long offset) {
        return (byte) word(batch, offset);
    }

    static byte encodingOf(final int word) {
        return (byte) word;
    }

    static int flagsOf(final int word) {
        return word >>> Byte.SIZE;
    }

    static boolean flagsAreKnown(final int flags) {
        return (flags & ~KNOWN_FLAGS) == 0;
    }

    /** Which blocks change. */
    public static long mask(final MemorySegment batch, final long offset) {
        return batch.get(LONG, offset + MASK_OFFSET);
    }

    /** Length of a captured record with this mask; no encoding makes it longer. */
    public static int lengthBytes(final long mask) {
        return HEADER_BYTES + BLOCK_BYTES * Long.bitCount(mask);
    }

    /** Length of a valid record, whatever its encoding. */
    public static int lengthBytes(final MemorySegment batch, final long offset) {
        final int word = word(batch, offset);
        long blocks = mask(batch, offset);
        long at = offset + HEADER_BYTES;
        if ((flagsOf(word) & HAS_ZERO_BLOCKS) != 0) {
            blocks &= ~batch.get(LONG, at);
            at += Long.BYTES;
        }
        if ((flagsOf(word) & HAS_SHARED) != 0) {
            final long shared = batch.get(LONG, at);
            blocks &= ~shared;
            at += Long.BYTES + referencesBytes(Long.bitCount(shared));
        }
        if (encodingOf(word) == LANES) {
            final long masks = at;
            at += BlockKernels.laneMasksBytes(Long.bitCount(blocks));
            at += (long) laneCount(batch, masks, at) * Long.BYTES;
        } else {
            at += (long) BLOCK_BYTES * Long.bitCount(blocks);
        }
        return (int) (at - offset);
    }

    /** Bytes that so many references take. */
    static int referencesBytes(final int count) {
        return (count * Integer.BYTES + Long.BYTES - 1) & -Long.BYTES;
    }

    /** Lanes that the masks between two offsets, a multiple of 8 bytes apart, announce. */
    static int laneCount(final MemorySegment batch, final long from, final long to) {
        int lanes = 0;
        for (long at = from; at < to; at += Long.BYTES) {
            lanes += Long.bitCount(batch.get(LONG, at));
        }
        return lanes;
    }
}
