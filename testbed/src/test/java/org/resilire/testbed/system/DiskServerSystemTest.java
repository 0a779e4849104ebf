package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The agent's NBD server as a process, before clients of others: those that mean it well (libnbd's and QEMU's) and those that do
 * not. Seen from outside: whether it lives, what it holds, and what is in the images.
 */
@Timeout(180)
class DiskServerSystemTest {

    private static final int DISK_BYTES = 4 << 20;
    private static final int HOSTILE_CLIENTS = 3;
    private static final int SESSIONS = 60;

    /** 32 MiB of heap and as much of buffers, the JVM itself, and 64 connections' threads. */
    private static final long MOST_RESIDENT_MIB = 400;

    private static final String DISK = "disk";
    private static final String HONEST = "somebody-elses-disk";
    private static final String READ_ONLY = DiskServerMain.READ_ONLY + "-disk";

    @TempDir
    Path directory;

    private Path disk;
    private Path honest;
    private Path readOnly;
    private DiskServerProcess server;

    @BeforeEach
    void serve() throws IOException {
        disk = noise("disk.raw", 1);
        honest = noise("honest.raw", 2);
        readOnly = noise("read-only.raw", 3);
        server = start();
    }

    @AfterEach
    void end() {
        server.close();
    }

    private DiskServerProcess start() {
        return DiskServerProcess.start(directory, Map.of(DISK, disk, HONEST, honest, READ_ONLY, readOnly));
    }

    /** Half of it holes. */
    private Path noise(final String name, final long seed) throws IOException {
        final byte[] content = new byte[DISK_BYTES];
        final SplittableRandom random = new SplittableRandom(seed);
        final byte[] half = new byte[DISK_BYTES / 2];
        random.nextBytes(half);
        System.arraycopy(half, 0, content, DISK_BYTES / 4, half.length);
        final Path path = directory.resolve(name);
        Files.write(path, content);
        run("fallocate", "--dig-holes", path.toString());
        return path;
    }

    @Test
    void shouldAgreeWithForeignClientsOnEveryByte() throws IOException {
        final String info = run("nbdinfo", "--list", "nbd+unix:///?socket=" + server.socket());
        for (final String name : new String[] {DISK, HONEST, READ_ONLY}) {
            assertTrue(info.contains("export=\"" + name + "\""), info);
        }
        assertTrue(info.contains("export-size: " + DISK_BYTES), info);
        final Path copy = directory.resolve("copy.raw");
        run("nbdcopy", "--connections=4", uri(READ_ONLY), copy.toString());
        assertEquals(-1, Files.mismatch(readOnly, copy));
        run("nbdcopy", "--connections=4", "--requests=32", "--flush", copy.toString(), uri(DISK));
        final String same = run("qemu-img", "compare", "-f", "raw", "-F", "raw", qemuUri(DISK), copy.toString());
        assertTrue(same.contains("Images are identical"), same);
        for (final String target : new String[] {qemuUri(DISK), copy.toString()}) {
            run(
                    "qemu-io",
                    "-f",
                    "raw",
                    "-c",
                    "aio_write -P 7 64k 1M",
                    "-c",
                    "aio_write -P 8 2M 128k",
                    "-c",
                    "aio_flush",
                    "-c",
                    "write -f -P 9 3M 512",
                    "-c",
                    "write -z 1M 300k",
                    "-c",
                    "discard 2500k 64k",
                    "-c",
                    "flush",
                    target);
        }
        assertEquals(-1, Files.mismatch(disk, copy));
    }

    @Test
    void shouldRefuseAForeignClientWhatItMayNotDo() throws IOException {
        final byte[] before = Files.readAllBytes(readOnly);
        assertTrue(fails("qemu-io", "-f", "raw", "-c", "write 0 512", qemuUri(READ_ONLY)));
        assertTrue(fails("nbdcopy", disk.toString(), uri(READ_ONLY)));
        assertTrue(fails("nbdinfo", uri("no-such-disk")));
        assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(readOnly)));
    }

    /** What was answered is in the page cache, which outlives the agent. */
    @Test
    void shouldKeepWhatItAnsweredWhenItIsKilled() throws IOException {
        final Path written = noise("written.raw", 4);
        run("nbdcopy", "--connections=4", written.toString(), uri(DISK));
        server.kill();
        assertEquals(-1, Files.mismatch(disk, written));
        // Neither its socket nor its locks are in the way of the next.
        server = start();
        final String same = run("qemu-img", "compare", "-f", "raw", "-F", "raw", qemuUri(DISK), written.toString());
        assertTrue(same.contains("Images are identical"), same);
    }

    /** Several at a time, while somebody else works on another disk of the same server and must notice nothing. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldWriteOnlyWhatWasAskedForWhateverIsSent(final long seed) throws IOException {
        run("nbdinfo", uri(DISK));
        final long openFiles = server.openFiles();
        final long threads = server.threads();
        final byte[] before = Files.readAllBytes(disk);
        final byte[] readOnlyBefore = Files.readAllBytes(readOnly);
        final AtomicBoolean isOver = new AtomicBoolean();
        final Failures failures = new Failures();
        final NbdHostileSession[] hostile = new NbdHostileSession[2 * HOSTILE_CLIENTS];
        final Thread[] threadsOfClients = new Thread[hostile.length];
        for (int i = 0; i < hostile.length; i++) {
            final boolean isDamaged = i >= HOSTILE_CLIENTS;
            final NbdHostileSession session = new NbdHostileSession(
                    new SplittableRandom(1_000 * seed + i), isDamaged ? READ_ONLY : DISK, DISK_BYTES);
            hostile[i] = session;
            threadsOfClients[i] = failures.start(() -> attack(session, isDamaged));
        }
        final Thread worker = failures.start(() -> workHonestly(isOver, seed));
        join(threadsOfClients);
        isOver.set(true);
        join(worker);

        failures.throwFirst();
        assertTrue(server.isAlive(), server::log);
        server.awaitRest(openFiles, threads);
        assertTrue(server.residentMiB() < MOST_RESIDENT_MIB, () -> server.residentMiB() + " MiB");
        assertFalse(server.log().contains("Exception"), server::log);
        assertEquals(-1, Arrays.mismatch(readOnlyBefore, Files.readAllBytes(readOnly)));
        assertChangedOnlyWhereAsked(hostile, before, Files.readAllBytes(disk));
        assertEquals(0, server.end(), server::log);
    }

    private void attack(final NbdHostileSession session, final boolean isDamaged) {
        for (int i = 0; i < SESSIONS; i++) {
            session.send(server.socket(), isDamaged ? session.damaged() : session.strangeRequests());
        }
    }

    /** In and out again, as long as the others rage. */
    private void workHonestly(final AtomicBoolean isOver, final long seed) throws IOException {
        final Path copy = directory.resolve("honest-copy.raw");
        for (long round = 0; !isOver.get(); round++) {
            final Path content = noise("honest-content.raw", 100 * seed + round);
            run("nbdcopy", "--connections=2", content.toString(), uri(HONEST));
            run("nbdcopy", "--connections=2", uri(HONEST), copy.toString());
            assertEquals(-1, Files.mismatch(content, copy));
            assertEquals(-1, Files.mismatch(content, honest));
        }
    }

    private static void assertChangedOnlyWhereAsked(
            final NbdHostileSession[] hostile, final byte[] before, final byte[] after) {
        assertEquals(before.length, after.length);
        assertTrue(
                IntStream.range(DISK_BYTES / 2, DISK_BYTES)
                                .filter(at -> !isAsked(hostile, at))
                                .count()
                        > DISK_BYTES / 4,
                "too much was asked for to tell");
        for (int i = 0; i < before.length; i++) {
            if (before[i] != after[i] && !isAsked(hostile, i)) {
                throw new AssertionError("byte " + i + " was changed though no request asked for it");
            }
        }
    }

    private static boolean isAsked(final NbdHostileSession[] hostile, final int at) {
        for (int i = 0; i < HOSTILE_CLIENTS; i++) {
            if (hostile[i].asked().get(at)) {
                return true;
            }
        }
        return false;
    }

    private static void join(final Thread... threads) {
        try {
            for (final Thread thread : threads) {
                thread.join();
            }
        } catch (final InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private String uri(final String export) {
        return "nbd+unix:///" + export + "?socket=" + server.socket();
    }

    private String qemuUri(final String export) {
        return "nbd:unix:" + server.socket() + ":exportname=" + export;
    }

    private static boolean fails(final String... command) throws IOException {
        return outcome(command).exitStatus() != 0;
    }

    private static String run(final String... command) throws IOException {
        final Outcome outcome = outcome(command);
        assertEquals(0, outcome.exitStatus(), () -> String.join(" ", command) + ": " + outcome.output());
        return outcome.output();
    }

    private record Outcome(int exitStatus, String output) {}

    private static Outcome outcome(final String... command) throws IOException {
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", command) + " does not end: " + output);
            }
        } catch (final InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        return new Outcome(process.exitValue(), output);
    }

    /** What went wrong on other threads. */
    private static final class Failures {

        private volatile Throwable first;

        /** Something that a test does. */
        interface Work {
            void run() throws IOException;
        }

        Thread start(final Work work) {
            return Thread.ofPlatform().daemon().start(() -> {
                try {
                    work.run();
                } catch (final IOException | RuntimeException | AssertionError failure) {
                    first = failure;
                }
            });
        }

        void throwFirst() {
            if (first != null) {
                throw new AssertionError(first);
            }
        }
    }
}
