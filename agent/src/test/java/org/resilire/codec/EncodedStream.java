package org.resilire.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.resilire.simd.BlockKernels;

/** A guest whose memory changes at random, encoded and decoded: what it holds, what was sent, what the replica got. */
final class EncodedStream implements AutoCloseable {

    private static final int PAGE = PageRecord.PAGE_BYTES;
    private static final int BLOCK = PageRecord.BLOCK_BYTES;
    private static final int LANES = PAGE / Long.BYTES;

    final int pages;
    final MemorySegment guest;
    final MemorySegment sent;
    final MemorySegment replica;
    final MemorySegment wire;
    final PageEncoder encoder;
    final SharingIndex index;
    long wireBytes;
    int records;
    private boolean isBatchCompressed;

    private final Arena arena = Arena.ofConfined();
    private final Random random;
    private final BlockKernels kernels = BlockKernels.preferred();
    private final MemorySegment captured = arena.allocate(PageRecord.MAX_BYTES);
    private final MemorySegment captureShadow;
    private final PageBatchValidator validator;
    private final PageBatchApplier applier;
    private final boolean wholePages;

    EncodedStream(
            final EncoderOptions options,
            final BlockHash hash,
            final boolean wholePages,
            final int pages,
            final Random random) {
        this.pages = pages;
        this.random = random;
        this.wholePages = wholePages;
        this.guest = memory();
        this.captureShadow = memory();
        this.sent = memory();
        this.replica = memory();
        this.wire = arena.allocate((long) pages * PageRecord.MAX_BYTES + PageEncoder.ROOM_BYTES);
        this.index = options.sharing() ? new SharingIndex(1 << 14, kernels, hash) : null;
        this.encoder = new PageEncoder(options, options.needsSentMemory() ? sent : null, kernels, index);
        this.validator = new PageBatchValidator(pages);
        this.applier = new PageBatchApplier(replica);
    }

    private MemorySegment memory() {
        return arena.allocate((long) pages * PAGE, PAGE);
    }

    /** Writes here and there: lanes, blocks of an alphabet that repeats, copies of other pages, zeros. */
    void change() {
        for (int writes = random.nextInt(3 * pages); writes > 0; writes--) {
            final long page = (long) random.nextInt(pages) * PAGE;
            final long block = page + (long) random.nextInt(PAGE / BLOCK) * BLOCK;
            final long lane = page + (long) random.nextInt(LANES) * Long.BYTES;
            switch (random.nextInt(12)) {
                case 0 -> guest.asSlice(page, PAGE).fill((byte) 0);
                case 1 -> MemorySegment.copy(guest, (long) random.nextInt(pages) * PAGE, guest, page, PAGE);
                case 2 -> guest.asSlice(block, BLOCK).fill((byte) random.nextInt(3));
                case 3 -> {
                    for (int i = 0; i < PAGE; i++) {
                        guest.set(ValueLayout.JAVA_BYTE, page + i, (byte) random.nextInt());
                    }
                }
                case 4, 5 -> {
                    for (int i = 0; i < BLOCK; i++) {
                        guest.set(ValueLayout.JAVA_BYTE, block + i, (byte) random.nextInt());
                    }
                }
                // All words of a page, or all but those of some blocks, by a little.
                case 6, 7 -> {
                    final long end = page + (random.nextBoolean() ? PAGE : random.nextInt(PAGE));
                    for (long at = page; at + Long.BYTES <= end; at += Long.BYTES) {
                        guest.set(ValueLayout.JAVA_LONG, at, guest.get(ValueLayout.JAVA_LONG, at) + 1);
                    }
                }
                default -> guest.set(ValueLayout.JAVA_LONG, lane, random.nextLong());
            }
        }
    }

    /** How records travel from here on. */
    void code(final boolean delta, final boolean isCompressed) {
        isBatchCompressed = isCompressed;
        for (final BatchCoding coding : BatchCoding.values()) {
            if (coding.delta() == delta && (coding.compression() != BatchCompression.NONE) == isCompressed) {
                encoder.coding(coding);
            }
        }
    }

    /** One epoch: capture, encode, validate, apply. */
    void synchronise() {
        wireBytes = 0;
        records = 0;
        for (int page = 0; page < pages; page++) {
            if (capture(page)) {
                final int length = encoder.encode(captured, 0, wire, wireBytes);
                if (length > (isBatchCompressed ? PageRecord.MAX_BYTES : PageEncoder.capturedBytes(captured, 0))) {
                    throw new AssertionError("a record of " + length + " bytes");
                }
                if (length != PageRecord.lengthBytes(wire, wireBytes)) {
                    throw new AssertionError("its length is not " + length);
                }
                wireBytes += length;
                records++;
            }
        }
        validator.validate(wire, 0, wireBytes, records);
        long at = 0;
        for (int i = 0; i < records; i++) {
            at = applier.applyOne(wire, at);
        }
        if (at != wireBytes) {
            throw new AssertionError(at + " of " + wireBytes + " bytes applied");
        }
    }

    private boolean capture(final long page) {
        final long at = page * PAGE;
        final long changed = kernels.captureChanged(guest, at, captureShadow, at, captured, PageRecord.HEADER_BYTES);
        if (changed == 0) {
            return false;
        }
        if (wholePages) {
            MemorySegment.copy(guest, at, captured, PageRecord.HEADER_BYTES, PAGE);
        }
        final long mask = wholePages ? -1L : changed;
        final boolean zero = mask == -1L && random.nextBoolean() && kernels.isZero(guest, at, PAGE);
        PageRecord.putHeader(captured, 0, page, zero ? PageRecord.ZERO : PageRecord.BLOCKS, zero ? 0 : mask);
        return true;
    }

    @Override
    public void close() {
        if (index != null) {
            index.close();
        }
        arena.close();
    }
}
