package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchCompressionTest {

    private static final int LARGEST = 64 << 10;
    private static final byte CANARY = 0x5A;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment batch = arena.allocate(LARGEST);
    private final MemorySegment packet = arena.allocate(LARGEST);
    private final UnsafeBuffer received = new UnsafeBuffer(packet.asByteBuffer());
    private final BatchCompressor compressor = new BatchCompressor(LARGEST);
    private final BatchDecompressor decompressor = new BatchDecompressor(LARGEST);
    private final Random random = new Random(3);

    @AfterEach
    void close() {
        compressor.close();
        decompressor.close();
        arena.close();
    }

    private void fill(final int lengthBytes) {
        for (int i = 0; i < lengthBytes; i++) {
            batch.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(random.nextInt(20) == 0 ? 256 : 2));
        }
    }

    static Stream<Arguments> everyCompression() {
        return Stream.of(BatchCompression.LZ4, BatchCompression.PACK, BatchCompression.PACK_LZ4)
                .flatMap(compression -> IntStream.of(256, 1_000, 4_112, LARGEST - 8, LARGEST)
                        .mapToObj(lengthBytes -> Arguments.of(compression, lengthBytes)));
    }

    @ParameterizedTest
    @MethodSource("everyCompression")
    void shouldBringBackWhatWasCompressed(final BatchCompression compression, final int lengthBytes) {
        fill(lengthBytes);
        final int compressed = compressor.compress(compression, batch, 0, lengthBytes, packet, 40);
        assertTrue(compressed > 0 && compressed < lengthBytes, compressed + " of " + lengthBytes);
        assertEquals(compression, compressor.applied());
        decompressor.decompress(compression, received, 40, compressed, lengthBytes);
        assertEquals(-1, MemorySegment.mismatch(batch, 0, lengthBytes, decompressor.decodedSegment(), 0, lengthBytes));
        assertEquals(compressed, compressor.compress(compression, batch, 0, lengthBytes, batch, 0), "in place");
        assertEquals(-1, MemorySegment.mismatch(batch, 0, compressed, packet, 40, 40L + compressed));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 5_000, LARGEST})
    void shouldLeaveAloneWhatDoesNotGetShorter(final int lengthBytes) {
        for (int i = 0; i < lengthBytes; i++) {
            batch.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
        }
        packet.fill(CANARY);
        assertEquals(
                BatchCompressor.NOT_SHORTER,
                compressor.compress(BatchCompression.LZ4, batch, 0, lengthBytes, packet, 0));
        for (int i = 0; i < LARGEST; i++) {
            assertEquals(CANARY, packet.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 100",
        "-1, 100",
        "100, 0",
        "100, -1",
        "100, 65537",
        "65537, 100",
        "2147483647, 100",
        "100, 2147483647"
    })
    void shouldRefuseLengthsThatCannotBe(final int lengthBytes, final int decodedBytes) {
        assertThrows(
                MalformedBatchException.class,
                () -> decompressor.decompress(BatchCompression.LZ4, received, 0, lengthBytes, decodedBytes));
    }

    @Test
    void shouldRefuseAnyOtherLengthThanTheTrueOne() {
        fill(4_000);
        final int compressed = compressor.compress(BatchCompression.LZ4, batch, 0, 4_000, packet, 0);
        for (final int wrong : new int[] {1, 3_999, 4_001, 8_000, LARGEST}) {
            assertThrows(
                    MalformedBatchException.class,
                    () -> decompressor.decompress(BatchCompression.LZ4, received, 0, compressed, wrong));
        }
        for (int cut = 1; cut < compressed; cut++) {
            final int shorter = cut;
            assertThrows(
                    MalformedBatchException.class,
                    () -> decompressor.decompress(BatchCompression.LZ4, received, 0, shorter, 4_000));
        }
    }

    @Test
    void shouldLeaveLz4AwayWhereNoneOfItIsLeftToDo() {
        // Two bytes of each word are zero, no two words the same ones.
        for (int word = 0; word < Long.BYTES; word++) {
            for (int i = 0; i < Long.BYTES; i++) {
                final boolean isZero = i == word || i == (3 * word + 1) % Long.BYTES;
                batch.set(ValueLayout.JAVA_BYTE, 8L * word + i, isZero ? 0 : (byte) (1 + random.nextInt(255)));
            }
        }
        final int packed = compressor.compress(BatchCompression.PACK_LZ4, batch, 0, 64, packet, 0);
        assertEquals(8 + 48, packed);
        assertEquals(BatchCompression.PACK, compressor.applied());
        decompressor.decompress(compressor.applied(), received, 0, packed, 64);
        assertEquals(-1, MemorySegment.mismatch(batch, 0, 64, decompressor.decodedSegment(), 0, 64));
    }

    @ParameterizedTest
    @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
    void shouldNotWriteBehindABatchWhateverAPeerSends(final BatchCompression compression) {
        final int decodedBytes = 5_000;
        fill(decodedBytes);
        final int compressed = compressor.compress(compression, batch, 0, decodedBytes, batch, 0);
        final MemorySegment decoded = decompressor.decodedSegment();
        int refused = 0;
        for (int i = 0; i < 3_000; i++) {
            MemorySegment.copy(batch, 0, packet, 0, compressed);
            for (int flips = 1 + random.nextInt(5); flips > 0; flips--) {
                packet.set(ValueLayout.JAVA_BYTE, random.nextInt(compressed), (byte) random.nextInt());
            }
            decoded.asSlice(decodedBytes).fill(CANARY);
            try {
                decompressor.decompress(compression, received, 0, compressed, decodedBytes);
            } catch (final MalformedBatchException e) {
                refused++;
            }
            for (int at = decodedBytes; at < decodedBytes + 128; at++) {
                assertEquals(CANARY, decoded.get(ValueLayout.JAVA_BYTE, at));
            }
        }
        assertTrue(refused > 300, "only " + refused + " were refused");
    }
}
