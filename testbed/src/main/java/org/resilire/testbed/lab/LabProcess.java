package org.resilire.testbed.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.resilire.control.ProcessIdentity;
import org.resilire.linux.PidFd;
import org.resilire.testbed.TestbedException;

/** A process of the lab, recorded in a pid file so that it can be found after a crash of the test bed. Any thread. */
public final class LabProcess implements AutoCloseable {

    private static final Duration END_LIMIT = Duration.ofSeconds(10);
    private static final int SHOWN_LOG_LINES = 8;

    private final String name;
    private final Process process;
    private final PidFd handle;
    private final ProcessIdentity identity;
    private final Path log;

    LabProcess(
            final String name,
            final Process process,
            final PidFd handle,
            final ProcessIdentity identity,
            final Path log) {
        this.name = name;
        this.process = process;
        this.handle = handle;
        this.identity = identity;
        this.log = log;
    }

    public String name() {
        return name;
    }

    public ProcessIdentity identity() {
        return identity;
    }

    /** What it wrote, unless its output goes to the test bed. */
    public Path log() {
        return log;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Its exit status; -1 while it runs. Above 128: ended by a signal. */
    public int exitStatus() {
        return process.isAlive() ? -1 : process.exitValue();
    }

    /** What it prints, if it was started so. */
    public BufferedReader output() {
        return process.inputReader();
    }

    /** What it reads. */
    public Writer input() {
        return process.outputWriter();
    }

    /** SIGKILL, and no waiting. */
    public void kill() {
        ProcessKill.send(handle);
    }

    /** SIGTERM: asks it to end. */
    public void terminate() {
        process.destroy();
    }

    /**
     * Waits for its end.
     *
     * @throws TestbedException if it goes on longer than the limit
     */
    public void awaitEnd(final Duration limit) {
        Await.until(
                () -> !process.isAlive(),
                limit,
                () -> name + " (process " + identity.pid() + ") did not end within " + limit.toSeconds() + " s");
    }

    /** The last lines of its log, for error messages. */
    public String logTail() {
        try {
            final List<String> lines = Files.readAllLines(log);
            final List<String> last = lines.subList(Math.max(0, lines.size() - SHOWN_LOG_LINES), lines.size());
            return last.isEmpty() ? " (its log is empty)" : "\n  | " + String.join("\n  | ", last);
        } catch (final IOException unreadable) {
            return " (its log cannot be read: " + unreadable.getMessage() + ")";
        }
    }

    /** Kills it if it runs, and waits until it is gone. */
    @Override
    public void close() {
        kill();
        awaitEnd(END_LIMIT);
    }

    /** For whoever closes the lab: nothing can be killed through this any more. */
    void release() {
        handle.close();
    }
}
