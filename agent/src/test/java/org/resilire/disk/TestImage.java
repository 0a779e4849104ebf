package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Image files for tests. */
final class TestImage {

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private TestImage() {}

    /** All hole. */
    static Path empty(final Path path, final long lengthBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(lengthBytes);
        }
        return path;
    }

    /** Every second 64 KiB holds random data. */
    static Path sparse(final Path path, final long lengthBytes, final long seed) throws IOException {
        final Random random = new Random(seed);
        final byte[] data = new byte[64 << 10];
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(lengthBytes);
            for (long at = 0; at + data.length <= lengthBytes; at += 2L * data.length) {
                random.nextBytes(data);
                file.seek(at);
                file.write(data);
            }
        }
        return path;
    }

    /** Writes what is there already, until everybody who looks can see that something was written: the kernel's clock ticks slowly. */
    static void change(final Path path) throws IOException {
        final ImageStamp before = ImageStamp.of(path);
        final long deadlineNanos = System.nanoTime() + LIMIT_NANOS;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            final int first = file.read();
            while (ImageStamp.of(path).equals(before)) {
                assertTrue(System.nanoTime() - deadlineNanos < 0, "a write does not change the file's time");
                file.seek(0);
                file.write(first);
            }
        }
    }

    /** Puts an equal file in its place. */
    static void exchange(final Path path) throws IOException {
        final Path copy = path.resolveSibling(path.getFileName() + ".copy");
        Files.copy(path, copy);
        Files.move(copy, path, StandardCopyOption.REPLACE_EXISTING);
    }
}
