package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.EpochWriteLog;
import org.resilire.disk.PrimaryDisk;
import org.resilire.synthetic.Await;

@Timeout(60)
class DiskCopiesTest {

    private static final int DISK_BYTES = 1 << 20;

    @TempDir
    Path directory;

    @Test
    void shouldNotKeepTheCheckpointThreadWaitingForADiskThatHangs() throws IOException {
        final Path image = Files.write(directory.resolve("image"), new byte[DISK_BYTES]);
        final DiskConfig config = new DiskConfig("d0", image, directory.resolve("d0.nbd"));
        try (PrimaryDisk disk = PrimaryDisk.open(config, directory, "db")) {
            disk.log().start();
            final DiskCopies copies = new DiskCopies(
                    new PrimaryDisk[] {disk},
                    List.of(new DiskIdentity("d0", DISK_BYTES, new UUID(1, 2), true)),
                    new PrimarySession(),
                    Long.MAX_VALUE,
                    System::nanoTime);
            final EpochWriteLog log = disk.log();
            // Nobody else gets any further with this disk.
            synchronized (log) {
                copies.start();
                Await.until("it waits for the disk", DiskCopiesTest::isCopierBlocked);
                final CompletableFuture<?> verifying = copies.verify();
                copies.close();
                assertFalse(copies.hasEnded());
                assertTrue(verifying.isCompletedExceptionally());
            }
            Await.until("its thread ends once the disk answers", copies::hasEnded);
            assertFalse(copies.isCopied());
        }
    }

    private static boolean isCopierBlocked() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("disk-copy") && thread.getState() == Thread.State.BLOCKED);
    }
}
