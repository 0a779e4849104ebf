package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.resilire.simd.BlockKernels;

@Timeout(120)
class PageEncoderTest {

    private static final int PAGES = 24;
    private static final int EPOCHS = 150;

    static Stream<Arguments> everyWayToEncode() {
        return Stream.of(PageCodec.values())
                .flatMap(codec -> Stream.of(false, true)
                        .flatMap(sharing -> Stream.of(false, true)
                                .map(whole -> Arguments.of(new EncoderOptions(codec, sharing), whole))));
    }

    @ParameterizedTest
    @MethodSource("everyWayToEncode")
    void shouldKeepSentMemoryAndReplicaEqualToTheGuest(final EncoderOptions options, final boolean wholePages) {
        // Its hash code would be another one in each JVM.
        final Random random = new Random(options.toString().hashCode());
        try (EncodedStream stream = new EncodedStream(options, new FoldedHash(), wholePages, PAGES, random)) {
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                stream.change();
                stream.code(options.codec().delta() && random.nextInt(4) != 0, random.nextBoolean());
                stream.synchronise();
                assertEquals(-1, stream.guest.mismatch(stream.replica), "replica, epoch " + epoch);
                if (options.needsSentMemory()) {
                    assertEquals(-1, stream.guest.mismatch(stream.sent), "sent memory, epoch " + epoch);
                }
            }
            final PageEncoder encoder = stream.encoder;
            assertEquals(options.sharing(), encoder.sharedBlocks() > 500, encoder.sharedBlocks() + " shared");
            assertEquals(options.codec().delta(), encoder.laneBlocks() > 500, encoder.laneBlocks() + " as lanes");
            assertTrue(encoder.literalBlocks() > 500, encoder.literalBlocks() + " literal");
            assertTrue(encoder.zeroBlocks() > 500, encoder.zeroBlocks() + " zero");
            assertEquals(options.isPlain(), encoder.bytesOut() == encoder.bytesIn());
        }
    }

    @Test
    void shouldStayExactWhereAlmostAllHashesCollide() {
        final BlockHash bad = (segment, offset) -> segment.get(ValueLayout.JAVA_BYTE, offset) & 3;
        final EncoderOptions options = new EncoderOptions(PageCodec.DELTA, true);
        try (EncodedStream stream = new EncodedStream(options, bad, false, PAGES, new Random(4))) {
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                stream.change();
                stream.synchronise();
                assertEquals(-1, stream.guest.mismatch(stream.replica), "replica, epoch " + epoch);
                assertEquals(-1, stream.guest.mismatch(stream.sent), "sent memory, epoch " + epoch);
            }
            assertTrue(stream.encoder.collisions() > 500, stream.encoder.collisions() + " collisions");
        }
    }

    @Test
    void shouldSayInNineBytesThatOneLaneChanged() {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment sent = arena.allocate(PageRecord.PAGE_BYTES);
            final MemorySegment captured = arena.allocate(PageRecord.MAX_BYTES);
            final MemorySegment out = arena.allocate(PageEncoder.ROOM_BYTES);
            final PageEncoder encoder =
                    new PageEncoder(new EncoderOptions(PageCodec.DELTA, false), sent, BlockKernels.preferred(), null);
            PageRecord.putHeader(captured, 0, 0, PageRecord.BLOCKS, 0x11);
            captured.set(ValueLayout.JAVA_LONG_UNALIGNED, PageRecord.HEADER_BYTES + 8, 42);
            captured.set(ValueLayout.JAVA_LONG_UNALIGNED, PageRecord.HEADER_BYTES + 64 + 16, 43);
            assertEquals(PageRecord.HEADER_BYTES + 8 + 2 * 8, encoder.encode(captured, 0, out, 0));
            assertEquals(PageRecord.LANES, PageRecord.encoding(out, 0));
            assertEquals(2, encoder.laneBlocks());
        }
    }

    @Test
    void shouldSayHowEveryWordChangedALittleIfTheBatchIsCompressedAfterwards() {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment sent = arena.allocate(PageRecord.PAGE_BYTES);
            final MemorySegment captured = arena.allocate(PageRecord.MAX_BYTES);
            final MemorySegment out = arena.allocate(PageEncoder.ROOM_BYTES);
            final PageEncoder encoder =
                    new PageEncoder(new EncoderOptions(PageCodec.AUTO, false), sent, BlockKernels.preferred(), null);
            final Random random = new Random(11);
            for (final BatchCoding coding : new BatchCoding[] {BatchCoding.LANES, BatchCoding.LANES_PACK}) {
                PageRecord.putHeader(captured, 0, 0, PageRecord.BLOCKS, 1);
                for (int lane = 0; lane < 8; lane++) {
                    final long word = sent.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * lane);
                    captured.set(
                            ValueLayout.JAVA_LONG_UNALIGNED,
                            PageRecord.HEADER_BYTES + 8L * lane,
                            word ^ (1 + random.nextInt(255)));
                }
                encoder.coding(coding);
                final int lengthBytes = encoder.encode(captured, 0, out, 0);
                final boolean isPacked = coding == BatchCoding.LANES_PACK;
                assertEquals(isPacked ? PageRecord.LANES : PageRecord.BLOCKS, PageRecord.encoding(out, 0));
                assertEquals(PageRecord.HEADER_BYTES + (isPacked ? 8 : 0) + 64, lengthBytes);
            }
        }
    }

    @Test
    void shouldReferOnlyToBlocksThatChangedInMoreThanALane() {
        try (Arena arena = Arena.ofConfined();
                SharingIndex index = new SharingIndex(1 << 14, BlockKernels.preferred())) {
            final MemorySegment sent = arena.allocate(2 * PageRecord.PAGE_BYTES);
            final MemorySegment captured = arena.allocate(PageRecord.MAX_BYTES);
            final MemorySegment out = arena.allocate(PageEncoder.ROOM_BYTES);
            final PageEncoder encoder =
                    new PageEncoder(new EncoderOptions(PageCodec.DELTA, true), sent, BlockKernels.preferred(), index);
            // Page 0 gets two blocks, of one lane and of three; page 1 the same, in another order.
            for (int page = 0; page < 2; page++) {
                PageRecord.putHeader(captured, 0, page, PageRecord.BLOCKS, 3);
                for (int block = 0; block < 2; block++) {
                    for (int lane = 0; lane < 8; lane++) {
                        final boolean isSlight = block == page;
                        captured.set(
                                ValueLayout.JAVA_LONG_UNALIGNED,
                                PageRecord.HEADER_BYTES + 64L * block + 8L * lane,
                                lane < (isSlight ? 1 : 3) ? 0x1234_5678_9ABCL + lane : 0);
                    }
                }
                encoder.encode(captured, 0, out, 0);
            }
            assertEquals(1, encoder.sharedBlocks());
            assertEquals(3, encoder.laneBlocks());
        }
    }

    @Test
    void shouldRefuseOptionsThatCannotBe() {
        final EncoderOptions delta = new EncoderOptions(PageCodec.DELTA, false);
        final BlockKernels kernels = BlockKernels.preferred();
        assertThrows(IllegalArgumentException.class, () -> new PageEncoder(delta, null, kernels, null));
        final EncoderOptions sharing = new EncoderOptions(PageCodec.RAW, true);
        assertThrows(IllegalArgumentException.class, () -> new PageEncoder(sharing, MemorySegment.NULL, kernels, null));
        final PageEncoder raw = new PageEncoder(new EncoderOptions(PageCodec.RAW, false), null, kernels, null);
        assertThrows(IllegalStateException.class, () -> raw.coding(BatchCoding.LANES));
        assertThrows(IllegalArgumentException.class, delta::withoutSentMemory);
        assertThrows(IllegalArgumentException.class, sharing::withoutSentMemory);
        assertEquals(
                new EncoderOptions(PageCodec.AUTO, false, false),
                new EncoderOptions(PageCodec.AUTO, false).withoutSentMemory());
        assertThrows(IllegalArgumentException.class, () -> PageCodec.of("zip"));
        assertEquals(PageCodec.DELTA_LZ4, PageCodec.of("delta+lz4"));
    }
}
