package org.resilire.failover;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Makes sure that the failed primary's guest runs no more, by an operator's command: a power switch, a hypervisor's API, a script.
 * Exit status 0 means that it is proven; anything else, or no answer in time, means that it is not (law 3).
 */
public final class Fence {

    /**
     * What came of it.
     *
     * @param proven the primary's guest cannot be running
     * @param explanation for the log
     */
    public record Result(boolean proven, String explanation) {}

    private static final int TAIL_BYTES = 4096;

    private final String command;
    private final long timeoutNanos;
    private final Path log;

    /**
     * @param command run by {@code /bin/sh -c}
     * @param timeoutNanos after which it has failed, and is killed
     * @param log receives what the command prints
     */
    public Fence(final String command, final long timeoutNanos, final Path log) {
        this.command = command;
        this.timeoutNanos = timeoutNanos;
        this.log = log;
    }

    public long timeoutNanos() {
        return timeoutNanos;
    }

    /** Runs the command and waits for it, bounded. */
    public Result run() {
        final long startNanos = System.nanoTime();
        Process process = null;
        try {
            process = new ProcessBuilder("/bin/sh", "-c", command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            if (!process.waitFor(timeoutNanos, TimeUnit.NANOSECONDS)) {
                return new Result(
                        false, "the fence command did not end within " + timeoutNanos / 1_000_000 + " ms" + lastLine());
            }
            if (process.exitValue() != 0) {
                return new Result(false, "the fence command ended with status " + process.exitValue() + lastLine());
            }
            return new Result(true, "fenced in " + (System.nanoTime() - startNanos) / 1_000_000 + " ms");
        } catch (final IOException e) {
            return new Result(false, "the fence command did not start: " + e.getMessage());
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(false, "the fence command was interrupted");
        } finally {
            if (process != null && process.isAlive()) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
    }

    /** What the command said last, whatever it printed: bytes that are no text must not hide its status. */
    private String lastLine() {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            final byte[] tail = new byte[(int) Math.min(TAIL_BYTES, file.length())];
            file.seek(file.length() - tail.length);
            file.readFully(tail);
            return new String(tail, StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .reduce((first, second) -> second)
                    .map(line -> ": " + line.strip())
                    .orElse("");
        } catch (final IOException e) {
            return " (and what it printed cannot be read: " + e.getMessage() + ")";
        }
    }
}
