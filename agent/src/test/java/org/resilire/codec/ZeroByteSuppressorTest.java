package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZeroByteSuppressorTest {

    private static final int LARGEST = 8 << 10;
    private static final byte CANARY = 0x5A;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment batch = arena.allocate(LARGEST);
    private final MemorySegment suppressed =
            arena.allocate(ZeroByteSuppressor.largestSuppressedBytes(LARGEST) + (long) ZeroByteSuppressor.SLACK_BYTES);
    private final MemorySegment restored = arena.allocate(LARGEST);
    private final Random random = new Random(5);

    @AfterEach
    void close() {
        arena.close();
    }

    private void fill(final int lengthBytes, final int zeroPercent) {
        for (int i = 0; i < lengthBytes; i++) {
            batch.set(
                    ValueLayout.JAVA_BYTE, i, random.nextInt(100) < zeroPercent ? 0 : (byte) (1 + random.nextInt(255)));
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 0", "8, 100", "4096, 0", "4096, 100", "4104, 50", "8192, 10", "8192, 90"})
    void shouldBringBackEveryByte(final int lengthBytes, final int zeroPercent) {
        for (int round = 0; round < 50; round++) {
            fill(lengthBytes, zeroPercent);
            final int length = ZeroByteSuppressor.suppress(batch, 0, lengthBytes, suppressed, 0);
            ZeroByteSuppressor.restore(suppressed, 0, length, restored, 0, lengthBytes);
            assertEquals(-1, MemorySegment.mismatch(batch, 0, lengthBytes, restored, 0, lengthBytes));
        }
    }

    @Test
    void shouldKeepNothingButMasksAndTheBytesThatAreNotZero() {
        batch.set(ValueLayout.JAVA_BYTE, 1, (byte) 7);
        batch.set(ValueLayout.JAVA_BYTE, 6, (byte) -1);
        batch.set(ValueLayout.JAVA_BYTE, 23, (byte) 0x80);
        final int length = ZeroByteSuppressor.suppress(batch, 0, 24, suppressed, 0);
        assertArrayEquals(
                new byte[] {0b0100_0010, 0, (byte) 0b1000_0000, 7, -1, (byte) 0x80},
                suppressed.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void shouldRefuseWhatItsMasksContradict() {
        fill(800, 50);
        final int length = ZeroByteSuppressor.suppress(batch, 0, 800, suppressed, 0);
        restored.fill(CANARY);
        for (final int wrongLength : new int[] {length - 1, length + 1, 99, 0}) {
            assertThrows(
                    MalformedBatchException.class,
                    () -> ZeroByteSuppressor.restore(suppressed, 0, wrongLength, restored, 0, 800));
        }
        for (final int wrongBatch : new int[] {792, 808, 801, 799}) {
            assertThrows(
                    MalformedBatchException.class,
                    () -> ZeroByteSuppressor.restore(suppressed, 0, length, restored, 0, wrongBatch));
        }
        for (long i = 0; i < LARGEST; i++) {
            assertEquals(CANARY, restored.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    @Test
    void shouldNotWriteBehindABatchWhateverAPeerSends() {
        final int batchBytes = 800;
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            fill(batchBytes, random.nextInt(101));
            final int length = ZeroByteSuppressor.suppress(batch, 0, batchBytes, suppressed, 0);
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                suppressed.set(ValueLayout.JAVA_BYTE, random.nextInt(length), (byte) random.nextInt());
            }
            restored.fill(CANARY);
            try {
                ZeroByteSuppressor.restore(suppressed, 0, length, restored, 0, batchBytes);
            } catch (final MalformedBatchException e) {
                refused++;
            }
            for (int at = batchBytes; at < batchBytes + 64; at++) {
                assertEquals(CANARY, restored.get(ValueLayout.JAVA_BYTE, at));
            }
        }
        assertTrue(refused > 2_000, "only " + refused + " were refused");
    }
}
