package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server before clients that were not written with it in mind: libnbd's and QEMU's. */
@Timeout(120)
class NbdForeignClientTest {

    private static final long LENGTH_BYTES = 32 << 20;

    @TempDir
    Path directory;

    private Path path;
    private Path socket;
    private DiskImage image;
    private NbdServer server;

    @BeforeEach
    void serve() throws IOException {
        path = TestImage.sparse(directory.resolve("image"), LENGTH_BYTES, 3);
        socket = directory.resolve("nbd");
        image = DiskImage.open(path, false, WriteObserver.NONE);
        server = NbdServer.start(socket, List.of(new NbdExport("d0", image)));
    }

    @AfterEach
    void end() throws IOException {
        server.close();
        image.close();
    }

    private String libnbdName() {
        return "nbd+unix:///d0?socket=" + socket;
    }

    private String qemuName() {
        return "nbd:unix:" + socket + ":exportname=d0";
    }

    @Test
    void shouldShowNbdinfoWhatItOffers() throws IOException, InterruptedException {
        final String info = ForeignTool.succeed("nbdinfo", libnbdName());
        for (final String expected : List.of(
                "export-size: " + LENGTH_BYTES,
                "using structured packets",
                "base:allocation",
                "can_df: true",
                "can_flush: true",
                "can_fua: true",
                "can_multi_conn: true",
                "can_trim: true",
                "can_zero: true",
                "is_read_only: false")) {
            assertTrue(info.contains(expected), expected + " is missing in " + info);
        }
        final String map = ForeignTool.succeed("nbdinfo", "--map", libnbdName());
        assertEquals(LENGTH_BYTES / (64 << 10), map.lines().count());
        assertTrue(ForeignTool.succeed("qemu-nbd", "--list", "-k", socket.toString())
                .contains("flags: 0x1ed"));
    }

    @Test
    void shouldLetNbdcopyCopyOutAndInOverSeveralConnections() throws IOException, InterruptedException {
        final Path copy = directory.resolve("copy");
        ForeignTool.succeed("nbdcopy", libnbdName(), copy.toString());
        assertEquals(-1, Files.mismatch(path, copy));
        final Path other = TestImage.sparse(directory.resolve("other"), LENGTH_BYTES, 4);
        ForeignTool.succeed("nbdcopy", "--connections=4", "--flush", other.toString(), libnbdName());
        assertEquals(-1, Files.mismatch(path, other));
        // Without structured replies: the other form of every read.
        ForeignTool.succeed("nbdcopy", "--request-size=4194304", "--no-extents", libnbdName(), copy.toString());
        assertEquals(-1, Files.mismatch(path, copy));
    }

    @Test
    void shouldAgreeWithQemuOnEveryCommand() throws IOException, InterruptedException {
        final Path copy = directory.resolve("copy");
        Files.copy(path, copy);
        final String[] changes = {
            "-c", "write -P 0x5a 1M 2M",
            "-c", "write -f -P 3 100 512",
            "-c", "write -z 2M 100k",
            "-c", "write -z -u 8M 1M",
            "-c", "discard 6M 64k",
            "-c", "aio_write -P 1 10M 3M",
            "-c", "aio_write -P 2 14M 64k",
            "-c", "aio_flush",
            "-c", "flush",
            "-c", "read -P 0 2M 100k"
        };
        ForeignTool.succeed(qemuIo(changes, qemuName()));
        ForeignTool.succeed(qemuIo(changes, copy.toString()));
        final String compared =
                ForeignTool.succeed("qemu-img", "compare", "-f", "raw", "-F", "raw", qemuName(), copy.toString());
        assertTrue(compared.contains("Images are identical"), compared);
        assertEquals(-1, Files.mismatch(path, copy));
        final String remote = ForeignTool.succeed("qemu-img", "map", "-f", "raw", "--output=json", qemuName());
        assertTrue(remote.contains("\"zero\": true") && remote.contains("\"data\": true"), remote);
    }

    private static String[] qemuIo(final String[] changes, final String target) {
        final String[] command = new String[changes.length + 4];
        command[0] = "qemu-io";
        command[1] = "-f";
        command[2] = "raw";
        System.arraycopy(changes, 0, command, 3, changes.length);
        command[command.length - 1] = target;
        return command;
    }

    @Test
    void shouldKeepQemuAwayFromAnImageThatItServes() throws IOException, InterruptedException {
        final ForeignTool.Outcome outcome =
                ForeignTool.run("qemu-io", "-f", "raw", "-c", "write 0 512", path.toString());
        assertNotEquals(0, outcome.exitCode());
        assertTrue(outcome.output().contains("Failed to get \"write\" lock"), outcome.output());
    }

    @Test
    void shouldKeepAwayFromAnImageThatQemuUses() throws IOException, InterruptedException {
        final Path used = TestImage.empty(directory.resolve("used"), 1 << 20);
        final Process qemu = ForeignTool.start("qemu-io", "-f", "raw", used.toString());
        try {
            awaitAnswer(qemu, "read 0 512\n", "read 512/512 bytes");
            final String refused = assertThrows(
                            DiskImageException.class, () -> DiskImage.open(used, false, WriteObserver.NONE))
                    .getMessage();
            assertTrue(refused.contains("in use by another program"), refused);
            assertThrows(DiskImageException.class, () -> DiskImage.open(used, true, WriteObserver.NONE));
        } finally {
            qemu.getOutputStream().close();
            qemu.waitFor();
        }
        DiskImage.open(used, false, WriteObserver.NONE).close();
    }

    /** Looking for the lock by trying to take it would keep QEMU from taking it. */
    private static void awaitAnswer(final Process qemu, final String command, final String answer) throws IOException {
        qemu.getOutputStream().write(command.getBytes(StandardCharsets.UTF_8));
        qemu.getOutputStream().flush();
        final StringBuilder output = new StringBuilder();
        while (output.indexOf(answer) < 0) {
            final int next = qemu.getInputStream().read();
            assertTrue(next >= 0, "qemu-io ended: " + output);
            output.append((char) next);
        }
    }
}
