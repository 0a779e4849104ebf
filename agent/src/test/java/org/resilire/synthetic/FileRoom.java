package org.resilire.synthetic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What the file system has given a file, which may be less than the file is long. */
public final class FileRoom {

    private static final int BLOCK_BYTES = 512;

    private FileRoom() {}

    public static long bytes(final Path path) throws IOException, InterruptedException {
        final Process stat = new ProcessBuilder("stat", "-c", "%b", path.toString()).start();
        final String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, stat.waitFor());
        return Long.parseLong(blocks.strip()) * BLOCK_BYTES;
    }
}
