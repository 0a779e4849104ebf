package org.resilire.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Random;

/** Image files for tests. */
final class TestImage {

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
}
