package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import org.resilire.simd.BlockKernels;

/**
 * Turns captured records into the records that travel, each as short as the options allow and never longer than it was
 * captured, and keeps sent memory, what the backup holds, up to date. Record by record in the order of sending: whenever a
 * record is encoded, sent memory is what the replica will be when that record is applied, so that differences and references
 * need no agreement. Allocates nothing. Not thread-safe.
 */
public final class PageEncoder {

    /** Room for one record: what is written beyond its length is scratch. */
    public static final int ROOM_BYTES =
            PageRecord.HEADER_BYTES + BlockKernels.largestLanesBytes(BlockKernels.BLOCKS_PER_PAGE);

    private final BlockKernels kernels;
    private final MemorySegment sent;
    private final SharingIndex index;
    private final boolean zeroBlocksAreCut;
    private boolean delta;
    private boolean batchIsCompressed;

    private long zeroBlocks;
    private long sharedBlocks;
    private long laneBlocks;
    private long literalBlocks;
    private long bytesIn;
    private long bytesOut;

    /**
     * @param sent what the backup holds, as long as the guest's memory; null if the options need none of it
     * @param indexOrNull where to look for blocks to share; null if sharing is off
     */
    public PageEncoder(
            final EncoderOptions options,
            final MemorySegment sent,
            final BlockKernels kernels,
            final SharingIndex indexOrNull) {
        if (options.needsSentMemory() && sent == null) {
            throw new IllegalArgumentException(options + " needs the memory that was sent");
        }
        if (options.sharing() != (indexOrNull != null)) {
            throw new IllegalArgumentException("an index is for sharing, and sharing needs one");
        }
        this.kernels = kernels;
        this.sent = sent;
        this.index = indexOrNull;
        this.zeroBlocksAreCut = !options.isPlain();
        this.delta = options.delta();
    }

    /** Length of the captured record at {@code offset}. */
    public static int capturedBytes(final MemorySegment captured, final long offset) {
        return PageRecord.lengthBytes(PageRecord.mask(captured, offset));
    }

    /**
     * How records travel from here on. Free to change at any batch, as sent memory is kept up to date either way.
     *
     * @throws IllegalStateException if there is no sent memory to compare with
     */
    public void coding(final BatchCoding coding) {
        if (coding.delta() && sent == null) {
            throw new IllegalStateException("without sent memory there is nothing to compare with");
        }
        delta = coding.delta();
        batchIsCompressed = coding.compression() != BatchCompression.NONE;
    }

    /**
     * Encodes one captured record.
     *
     * @param captured holds a record of BLOCKS or ZERO without flags
     * @param out must have {@link #ROOM_BYTES} from {@code outOffset}
     * @return length of the record that travels, at most that of the captured one; a little more, but never more than
     *     {@link PageRecord#MAX_BYTES}, if the batch is to be compressed and is shorter after that
     */
    public int encode(final MemorySegment captured, final long offset, final MemorySegment out, final long outOffset) {
        final long page = PageRecord.page(captured, offset);
        final long mask = PageRecord.mask(captured, offset);
        final int lengthBytes = PageRecord.encoding(captured, offset) == PageRecord.ZERO
                ? encodeZeroPage(page, out, outOffset)
                : encodeBlocks(captured, offset + PageRecord.HEADER_BYTES, page, mask, out, outOffset);
        bytesIn += PageRecord.lengthBytes(mask);
        bytesOut += lengthBytes;
        return lengthBytes;
    }

    private int encodeZeroPage(final long page, final MemorySegment out, final long outOffset) {
        PageRecord.putHeader(out, outOffset, page, PageRecord.ZERO, 0);
        zeroBlocks += PageRecord.BLOCKS_PER_PAGE;
        final long pageOffset = page * PageRecord.PAGE_BYTES;
        // Looked at first: memory that was never touched is not to be touched for writing zeros.
        if (sent != null && !kernels.isZero(sent, pageOffset, PageRecord.PAGE_BYTES)) {
            BlockRuns.zero(sent, pageOffset, -1L);
        }
        return PageRecord.HEADER_BYTES;
    }

    private int encodeBlocks(
            final MemorySegment captured,
            final long from,
            final long page,
            final long mask,
            final MemorySegment out,
            final long outOffset) {
        final long zeros =
                zeroBlocksAreCut ? Long.expand(kernels.zeroBlocks(captured, from, Long.bitCount(mask)), mask) : 0;
        if (zeros == -1L) {
            return encodeZeroPage(page, out, outOffset);
        }
        int flags = 0;
        long at = outOffset + PageRecord.HEADER_BYTES;
        if (zeros != 0) {
            flags |= PageRecord.HAS_ZERO_BLOCKS;
            out.set(PageRecord.LONG, at, zeros);
            at += Long.BYTES;
        }
        final long pageOffset = page * PageRecord.PAGE_BYTES;
        long shared = 0;
        if (index != null) {
            long candidates = mask & ~zeros;
            candidates &= delta ? ~slightlyChanged(captured, from, mask, candidates, pageOffset) : -1L;
            shared = index.share(captured, from, mask, candidates, sent, page, out, at + Long.BYTES);
        }
        if (shared != 0) {
            flags |= PageRecord.HAS_SHARED;
            at = endReferences(out, at, shared);
        }
        final long rest = mask & ~(zeros | shared);
        final int restCount = Long.bitCount(rest);
        byte encoding = PageRecord.BLOCKS;
        if (sent != null && (zeros | shared) != 0) {
            updateSent(captured, from, mask, pageOffset, zeros, shared);
        }
        if (delta && rest != 0) {
            final int lanesBytes = kernels.xorLanes(captured, from, mask, rest, sent, pageOffset, out, at);
            if (lanesBytes < restCount * PageRecord.BLOCK_BYTES
                    || (batchIsCompressed
                            && at + lanesBytes - outOffset <= PageRecord.MAX_BYTES
                            && areMostlyZero(out, at, lanesBytes))) {
                encoding = PageRecord.LANES;
                at += lanesBytes;
            } else {
                at = BlockRuns.repack(captured, from, mask, rest, out, at);
            }
        } else {
            final long literals = at;
            at = BlockRuns.repack(captured, from, mask, rest, out, literals);
            if (sent != null) {
                BlockRuns.unpack(out, literals, sent, pageOffset, rest);
            }
        }
        PageRecord.putHeader(out, outOffset, page, encoding, flags, mask);
        zeroBlocks += Long.bitCount(zeros);
        sharedBlocks += Long.bitCount(shared);
        if (encoding == PageRecord.LANES) {
            laneBlocks += restCount;
        } else {
            literalBlocks += restCount;
        }
        return (int) (at - outOffset);
    }

    /**
     * Where every word changed, but little in each, saying how is no shorter at first, and much shorter once the batch has lost its
     * zero bytes or was compressed.
     */
    private static boolean areMostlyZero(final MemorySegment lanes, final long offset, final int lengthBytes) {
        int zeroBytes = 0;
        for (long at = offset; at < offset + lengthBytes; at += Long.BYTES) {
            zeroBytes += ZeroByteSuppressor.zeroBytes(lanes.get(PageRecord.LONG, at));
        }
        return zeroBytes > lengthBytes / 2;
    }

    /** Blocks of which one lane changed at most: to say how takes no more than a reference, and no search for one. */
    private long slightlyChanged(
            final MemorySegment captured, final long from, final long mask, final long wanted, final long pageOffset) {
        long slight = 0;
        for (long left = wanted; left != 0; left &= left - 1) {
            final long bit = left & -left;
            final long block = from + ((long) Long.bitCount(mask & (bit - 1)) << PageRecord.BLOCK_SHIFT);
            final long previous = pageOffset + ((long) Long.numberOfTrailingZeros(bit) << PageRecord.BLOCK_SHIFT);
            int lanes = 0;
            for (int i = 0; i < PageRecord.BLOCK_BYTES; i += Long.BYTES) {
                lanes += captured.get(PageRecord.LONG, block + i) == sent.get(PageRecord.LONG, previous + i) ? 0 : 1;
            }
            slight |= lanes <= 1 ? bit : 0;
        }
        return slight;
    }

    /** Puts the mask before references that are written already and zeros behind them. */
    private static long endReferences(final MemorySegment out, final long offset, final long shared) {
        final int count = Long.bitCount(shared);
        final long references = offset + Long.BYTES;
        out.set(PageRecord.LONG, offset, shared);
        if ((count & 1) != 0) {
            out.set(PageRecord.INT, references + (long) count * Integer.BYTES, 0);
        }
        return references + PageRecord.referencesBytes(count);
    }

    private void updateSent(
            final MemorySegment captured,
            final long from,
            final long mask,
            final long pageOffset,
            final long zeros,
            final long shared) {
        BlockRuns.zero(sent, pageOffset, zeros);
        for (long left = shared; left != 0; left &= left - 1) {
            final long below = (left & -left) - 1;
            MemorySegment.copy(
                    captured,
                    from + ((long) Long.bitCount(mask & below) << PageRecord.BLOCK_SHIFT),
                    sent,
                    pageOffset + ((long) Long.bitCount(below) << PageRecord.BLOCK_SHIFT),
                    PageRecord.BLOCK_BYTES);
        }
    }

    /** Blocks that became zero; a whole page counts 64. */
    public long zeroBlocks() {
        return zeroBlocks;
    }

    /** Blocks that were referred to. */
    public long sharedBlocks() {
        return sharedBlocks;
    }

    /** Blocks of which what changed was sent. */
    public long laneBlocks() {
        return laneBlocks;
    }

    /** Blocks that were sent as they are. */
    public long literalBlocks() {
        return literalBlocks;
    }

    /** Hash hits whose bytes were others though nobody had overwritten them. */
    public long collisions() {
        return index == null ? 0 : index.collisions();
    }

    /** Hash hits on blocks that had been overwritten since. */
    public long staleHits() {
        return index == null ? 0 : index.staleHits();
    }

    /** Captured records, in bytes. */
    public long bytesIn() {
        return bytesIn;
    }

    /** Records that travel, in bytes, before any compression of batches. */
    public long bytesOut() {
        return bytesOut;
    }
}
