package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestProgressTest {

    private static final int PAGE_BYTES = 4096;
    private static final int PAGES = 700;

    @TempDir
    private Path directory;

    @Test
    void shouldReadThePageOfItsOwnRunAndNotOfAnEarlierOne() throws IOException {
        final Path memory = directory.resolve("ram");
        try (FileChannel file = FileChannel.open(memory, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            write(file, PAGES - 1, 0, 0);
            write(file, 3, 41, 1_000);
            write(file, 600, 42, 5_000);
            try (GuestProgress progress = GuestProgress.find(memory, 42)) {
                assertEquals(5_000, progress.units());
                write(file, 600, 42, 6_000);
                assertEquals(6_000, progress.units());
                assertEquals(2, progress.verified());
                assertEquals(0, progress.failed());
            }
        }
    }

    private static void write(final FileChannel file, final long page, final long run, final long units)
            throws IOException {
        final ByteBuffer record = ByteBuffer.allocate(PAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        record.put("resilire-progres".getBytes(StandardCharsets.US_ASCII));
        record.putLong(run).putLong(units).putLong(2).putLong(0).clear();
        file.write(record, page * PAGE_BYTES);
    }
}
