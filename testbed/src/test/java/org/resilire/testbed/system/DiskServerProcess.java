package org.resilire.testbed.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Await;

/** A {@link DiskServerMain} that runs, with little memory, and what the system knows about it. One thread. */
final class DiskServerProcess implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Process process;
    private final Path socket;
    private final Path log;

    private DiskServerProcess(final Process process, final Path socket, final Path log) {
        this.process = process;
        this.socket = socket;
        this.log = log;
    }

    /** Waits until it can be connected to. */
    static DiskServerProcess start(final Path directory, final Map<String, Path> disks) {
        final Path socket = directory.resolve("nbd");
        final Path log = directory.resolve("server.log");
        final List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                // What a client can make it hold must fit into this.
                "-Xmx32m",
                "-XX:MaxDirectMemorySize=32m",
                "-XX:ErrorFile=" + directory.resolve("crash.log"),
                "-cp",
                System.getProperty("java.class.path"),
                DiskServerMain.class.getName(),
                socket.toString()));
        disks.forEach((name, image) -> command.add(name + "=" + image));
        try {
            final Process process = new ProcessBuilder(command)
                    .redirectErrorStream(false)
                    .redirectError(log.toFile())
                    .start();
            final DiskServerProcess started = new DiskServerProcess(process, socket, log);
            started.awaitReady();
            return started;
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void awaitReady() throws IOException {
        final String said = process.inputReader().readLine();
        if (!DiskServerMain.READY.equals(said)) {
            throw new TestbedException("the disk server did not start: " + said + "\n" + log());
        }
    }

    Path socket() {
        return socket;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Files and sockets that it has open. */
    long openFiles() {
        return countIn("fd");
    }

    long threads() {
        return countIn("task");
    }

    private long countIn(final String kind) {
        try (Stream<Path> all = Files.list(Path.of("/proc", Long.toString(process.pid()), kind))) {
            return all.count();
        } catch (final IOException gone) {
            throw new UncheckedIOException("the disk server is gone\n" + log(), gone);
        }
    }

    /** Memory of its own that is in use. */
    long residentMiB() {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                            .sum()
                    / 1024;
        } catch (final IOException gone) {
            throw new UncheckedIOException("the disk server is gone\n" + log(), gone);
        }
    }

    /** Waits until no connection holds a file or a thread of it any more. */
    void awaitRest(final long openFiles, final long threads) {
        Await.until(
                () -> openFiles() <= openFiles && threads() <= threads,
                LIMIT,
                () -> "connections that ended still hold " + openFiles() + " files instead of " + openFiles + " and "
                        + threads() + " threads instead of " + threads + "\n" + log());
    }

    /** As the end of the agent's host is to it, but for the page cache. */
    void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    private void awaitEnd() {
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new TestbedException("the disk server does not end\n" + log());
            }
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted", interrupted);
        }
    }

    /** Tells it to end in good order. */
    int end() {
        try {
            process.getOutputStream().close();
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
        awaitEnd();
        return process.exitValue();
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            kill();
        }
    }
}
