package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.LinuxException;

class DiskImageTest {

    private static final long LENGTH_BYTES = 4 << 20;

    @TempDir
    Path directory;

    @Test
    void shouldSayInOneLineWhyAnImageCannotBeServed() throws IOException {
        assertRefused(directory.resolve("missing"), "there is no disk image");
        assertRefused(directory, "is a directory");
        assertRefused(TestImage.empty(directory.resolve("empty"), 0), "is empty");
        assertRefused(TestImage.empty(directory.resolve("odd"), 1000), "1000 bytes, which is not a multiple of 512");
        assertRefused(Path.of("/dev/null"), "is empty");
    }

    @Test
    void shouldRefuseAnImageThatAnotherServesAndServeItWhenThatEnds() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        try (DiskImage image = DiskImage.open(path, false, WriteObserver.NONE)) {
            assertEquals(LENGTH_BYTES, image.lengthBytes());
            assertRefused(path, "in use by another program");
            assertThrows(DiskImageException.class, () -> DiskImage.open(path, true, WriteObserver.NONE));
        }
        try (DiskImage one = DiskImage.open(path, true, WriteObserver.NONE);
                DiskImage other = DiskImage.open(path, true, WriteObserver.NONE)) {
            assertTrue(one.isReadOnly() && other.isReadOnly());
            assertRefused(path, "in use by another program");
        }
    }

    private static void assertRefused(final Path path, final String why) {
        final String message = assertThrows(
                        DiskImageException.class, () -> DiskImage.open(path, false, WriteObserver.NONE))
                .getMessage();
        assertTrue(message.contains(why), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void shouldNeverTouchAnythingOutsideOrWithoutPermission() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment memory = arena.allocate(1024);
            try (DiskImage image = DiskImage.open(path, false, WriteObserver.NONE)) {
                for (final long offset : new long[] {-1, LENGTH_BYTES - 1023, LENGTH_BYTES, Long.MAX_VALUE - 100}) {
                    assertThrows(IndexOutOfBoundsException.class, () -> image.write(memory, 0, 1024, offset, false));
                    assertThrows(IndexOutOfBoundsException.class, () -> image.zero(offset, 1024, true, false));
                    assertThrows(IndexOutOfBoundsException.class, () -> image.trim(offset, 1024, false));
                    assertThrows(IndexOutOfBoundsException.class, () -> image.read(memory, 0, 1024, offset));
                }
            }
            try (DiskImage image = DiskImage.open(path, true, WriteObserver.NONE)) {
                assertThrows(LinuxException.class, () -> image.write(memory, 0, 1024, 0, false));
                assertThrows(LinuxException.class, () -> image.zero(0, 1024, false, false));
                assertThrows(LinuxException.class, () -> image.trim(0, 1024, false));
            }
        }
        assertEquals(LENGTH_BYTES, Files.size(path));
    }

    @Test
    void shouldFlushOnlyWhatHasChangedAndOweWhatWasDeferred() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        try (DiskImage image = DiskImage.open(path, false, WriteObserver.NONE);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment memory = arena.allocate(512);
            assertTrue(image.needsFlush(), "what was written before the image was opened may not be durable");
            image.flush();
            assertFalse(image.needsFlush());
            image.write(memory, 0, 512, 0, true);
            assertFalse(image.needsFlush(), "a durable write is durable");
            image.write(memory, 0, 512, 0, false);
            assertTrue(image.needsFlush());

            image.beginDeferringFlushes();
            image.flush();
            image.endDeferringFlushes();
            assertTrue(image.needsFlush(), "a deferred flush has not reached the disk");
            image.settleFlushes();
            assertFalse(image.needsFlush());
        }
    }

    @Test
    void shouldZeroAndTrimToZeros() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        try (DiskImage image = DiskImage.open(path, false, WriteObserver.NONE);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment ones = arena.allocate(1 << 20).fill((byte) 1);
            for (int i = 0; i < 3; i++) {
                image.write(ones, 0, 1 << 20, 0, false);
                switch (i) {
                    case 0 -> image.zero(1000, 500_000, true, false);
                    case 1 -> image.zero(1000, 500_000, false, true);
                    default -> image.trim(1000, 500_000, false);
                }
                final MemorySegment got = arena.allocate(1 << 20);
                image.read(got, 0, 1 << 20, 0);
                assertEquals(1, got.get(JAVA_BYTE, 999));
                assertEquals(0, got.get(JAVA_BYTE, 1000));
                assertEquals(0, got.get(JAVA_BYTE, 500_999));
                assertEquals(1, got.get(JAVA_BYTE, 501_000));
            }
        }
    }

    @Test
    void shouldLockRangesThatOverlapInCommon() {
        final Random random = new Random(7);
        for (int i = 0; i < 100_000; i++) {
            final long firstOffset = random.nextLong(1L << 32);
            final long firstBytes = 1 + random.nextLong(i % 2 == 0 ? 1 << 20 : 1 << 28);
            final long secondOffset = Math.max(0, firstOffset + random.nextLong(firstBytes) - (1 << 19));
            final long secondBytes = 1 + random.nextLong(1 << 21);
            if (secondOffset < firstOffset + firstBytes && firstOffset < secondOffset + secondBytes) {
                assertTrue((RangeLocks.stripes(firstOffset, firstBytes) & RangeLocks.stripes(secondOffset, secondBytes))
                        != 0);
            }
        }
    }
}
