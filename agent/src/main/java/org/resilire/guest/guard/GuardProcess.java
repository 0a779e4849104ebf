package org.resilire.guest.guard;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.resilire.guest.GuestException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The agent's hold on its guard: a second, small JVM in a session of its own. Any thread. */
public final class GuardProcess implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(GuardProcess.class);

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration END_TIMEOUT = Duration.ofSeconds(5);

    /** It idles all its life: small, and compiled no further than it takes to be quick once. */
    private static final List<String> JVM_FLAGS = List.of(
            "-Xmx32m",
            "-Xss512k",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Xshare:auto",
            "--enable-native-access=ALL-UNNAMED");

    private final Process process;
    private volatile boolean isClosed;

    private GuardProcess(final Process process) {
        this.process = process;
    }

    /**
     * Starts a guard and waits until it watches.
     *
     * @param log receives what the guard did
     * @param onDeath told when the guard ends though nobody asked it to; on a thread of its own
     * @throws GuestException if it does not come up
     */
    public static GuardProcess start(final GuardOptions options, final Path log, final Runnable onDeath) {
        final List<String> command = new ArrayList<>();
        // Without a session of its own, a terminal's Ctrl-C would end the guard before the agent.
        command.add("setsid");
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM_FLAGS);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(ResumeGuard.class.getName());
        command.addAll(options.toArguments());
        try {
            final GuardProcess guard = new GuardProcess(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start());
            guard.awaitReady(log);
            guard.notifyOfDeath(onDeath);
            return guard;
        } catch (final IOException e) {
            throw new GuestException("cannot start the guard: " + e.getMessage(), e);
        }
    }

    private void awaitReady(final Path log) {
        final BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        final CompletableFuture<String> line = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("guard-ready").start(() -> {
            try {
                line.complete(output.readLine());
            } catch (final IOException e) {
                line.completeExceptionally(e);
            }
        });
        try {
            final String said = line.get(START_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            if (ResumeGuard.READY.equals(said)) {
                return;
            }
            throw startFailure("it ended or said '" + said + "', see " + log, null);
        } catch (final TimeoutException e) {
            throw startFailure("it is not ready after " + START_TIMEOUT.toSeconds() + " s", e);
        } catch (final ExecutionException e) {
            throw startFailure(e.getMessage(), e);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw startFailure("interrupted", e);
        }
    }

    private GuestException startFailure(final String why, final Exception cause) {
        isClosed = true;
        process.destroyForcibly();
        return new GuestException("cannot start the guard: " + why, cause);
    }

    private void notifyOfDeath(final Runnable onDeath) {
        Thread.ofPlatform().daemon().name("guard-watch").start(() -> {
            process.onExit().join();
            if (!isClosed) {
                LOGGER.error(
                        "The guard (process {}) died: a guest that this agent has paused stays paused if it dies too",
                        process.pid());
                onDeath.run();
            }
        });
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Ends the guard in order; the guest must not be paused by this agent any more. */
    @Override
    public void close() {
        isClosed = true;
        try (OutputStream input = process.getOutputStream()) {
            input.write(ResumeGuard.QUIT);
        } catch (final IOException e) {
            LOGGER.debug("The guard has ended already: {}", e.getMessage());
        }
        try {
            if (!process.waitFor(END_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
