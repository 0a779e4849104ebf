package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.simd.BlockKernels;
import org.resilire.synthetic.Garbage;

@Timeout(120)
class CodecAllocationTest {

    private static final int PAGES = 32;
    private static final int WARM_UP_BATCHES = 6_000;
    private static final int BATCHES = 1_000;
    private static final int WIRE_BYTES = PAGES * PageRecord.MAX_BYTES;

    /** For what the runtime itself does now and then on this thread, as compiled code is replaced. */
    private static final long TOLERATED_BYTES = 64 << 10;

    @Test
    void shouldEncodeAndApplyWithoutAllocating() {
        BlockKernels.preferred().warmUp();
        try (Batches batches = new Batches()) {
            batches.run(WARM_UP_BATCHES);
            Garbage.assertBelow(
                    TOLERATED_BYTES, BATCHES + " batches of " + PAGES + " pages", () -> batches.run(BATCHES));
            assertTrue(batches.encoder.sharedBlocks() > 0 && batches.encoder.laneBlocks() > 0);
        }
    }

    /** Every step from a captured record to the replica, with all the options. */
    private static final class Batches implements AutoCloseable {

        private final EncoderOptions options = new EncoderOptions(PageCodec.AUTO, true);
        private final Arena arena = Arena.ofShared();
        private final MemorySegment sent = arena.allocate((long) PAGES * PageRecord.PAGE_BYTES);
        private final MemorySegment replica = arena.allocate((long) PAGES * PageRecord.PAGE_BYTES);
        private final MemorySegment captured = arena.allocate(PageRecord.MAX_BYTES);
        private final MemorySegment wire = arena.allocate(WIRE_BYTES);
        private final UnsafeBuffer received = new UnsafeBuffer(wire.asByteBuffer());
        private final SharingIndex index = new SharingIndex(1 << 16, BlockKernels.preferred());
        private final PageEncoder encoder = new PageEncoder(options, sent, BlockKernels.preferred(), index);
        private final PageBatchValidator validator = new PageBatchValidator(PAGES);
        private final PageBatchApplier applier = new PageBatchApplier(replica);
        private final BatchCompressor compressor = new BatchCompressor(WIRE_BYTES);
        private final BatchDecompressor decompressor = new BatchDecompressor(WIRE_BYTES);
        private final CompressionChoice choice = new CompressionChoice(options, System::nanoTime);
        private long salt = 1;

        void run(final int count) {
            for (int batch = 0; batch < count; batch++) {
                one();
            }
        }

        private void one() {
            final BatchCoding coding = choice.next(1 << 16);
            final long start = System.nanoTime();
            encoder.coding(coding);
            int length = 0;
            int capturedBytes = 0;
            for (int page = 0; page < PAGES; page++) {
                capture(page);
                length += encoder.encode(captured, 0, wire, length);
                capturedBytes += PageEncoder.capturedBytes(captured, 0);
            }
            final int compressed = coding.compression() == BatchCompression.NONE
                    ? BatchCompressor.NOT_SHORTER
                    : compressor.compress(coding.compression(), wire, 0, length, wire, 0);
            final int wireBytes = compressed > 0 ? compressed : length;
            choice.onEncoded(coding, capturedBytes, wireBytes, System.nanoTime() - start);
            choice.onLink(wireBytes, wireBytes * 8L, true);
            MemorySegment records = wire;
            if (compressed > 0) {
                decompressor.decompress(compressor.applied(), received, 0, compressed, length);
                records = decompressor.decodedSegment();
            }
            validator.validate(records, 0, length, PAGES);
            for (long at = 0; at < length; ) {
                at = applier.applyOne(records, at);
            }
        }

        /** Of every kind of block something, and the same on several pages. */
        private void capture(final int page) {
            long mask = 0;
            long to = PageRecord.HEADER_BYTES;
            for (int block = page & 3; block < PageRecord.BLOCKS_PER_PAGE; block += 3) {
                mask |= 1L << block;
                for (int lane = 0; lane < 8; lane++) {
                    final long value = switch (block % 5) {
                        case 0 -> 0;
                        case 1 -> salt ^ block;
                        case 2 -> lane == 3 ? salt : 7;
                        default -> salt * lane + page * 31L + block;
                    };
                    captured.set(ValueLayout.JAVA_LONG_UNALIGNED, to, value);
                    to += Long.BYTES;
                }
            }
            if ((page & 3) == 3) {
                salt = salt * 6364136223846793005L + 1442695040888963407L;
            }
            PageRecord.putHeader(captured, 0, page, PageRecord.BLOCKS, mask);
        }

        @Override
        public void close() {
            index.close();
            compressor.close();
            decompressor.close();
            arena.close();
        }
    }
}
