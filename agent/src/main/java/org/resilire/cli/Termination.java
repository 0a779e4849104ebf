package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Ends an agent in order on Ctrl-C and SIGTERM: the shutdown hook asks it to stop and waits while it does. */
final class Termination {

    /** Asks an agent to stop and waits for it, bounded. */
    interface Stop {
        void within(Duration limit) throws InterruptedException;
    }

    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** Between an agent's end and its exit code is no work. */
    private static final Duration CODE_LIMIT = Duration.ofSeconds(1);

    private final Stop stop;

    Termination(final Stop stop) {
        this.stop = stop;
    }

    int during(final Callable<Integer> agent) throws IOException {
        final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("termination").unstarted(() -> onShutdown(exitCode)));
        try {
            final int code = agent.call();
            exitCode.complete(code);
            return code;
        } catch (final IOException | RuntimeException e) {
            exitCode.completeExceptionally(e);
            throw e;
        } catch (final Exception e) {
            exitCode.completeExceptionally(e);
            throw new IllegalStateException(e);
        }
    }

    private void onShutdown(final CompletableFuture<Integer> exitCode) {
        if (exitCode.isDone()) {
            // An ordinary end, or a failure: the agent is over and the JVM exits with its code.
            return;
        }
        try {
            stop.within(LIMIT);
            // A JVM that a signal ends says so (143) however well the agent has ended: its own code tells more.
            Runtime.getRuntime().halt(exitCode.get(CODE_LIMIT.toMillis(), TimeUnit.MILLISECONDS));
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (final ExecutionException | TimeoutException e) {
            // The agent failed or still runs: then the signal's code is the right one.
        }
    }
}
