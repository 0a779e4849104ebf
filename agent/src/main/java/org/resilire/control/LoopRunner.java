package org.resilire.control;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Runs an agent's loop on a thread of its own, while the calling thread publishes what it counts. */
public final class LoopRunner {

    private static final long PUBLISH_INTERVAL_MILLIS = 250;

    private LoopRunner() {}

    /**
     * Returns how the loop ended, or throws what it threw. An interruption of the calling thread stops the loop.
     *
     * @param stop makes the loop end soon; any thread
     * @param publish called every quarter of a second, and when the loop has ended
     */
    public static <E> E run(
            final String threadName, final Supplier<E> loop, final Runnable stop, final Runnable publish) {
        final CompletableFuture<E> end = new CompletableFuture<>();
        final Thread thread = Thread.ofPlatform().name(threadName).start(() -> {
            try {
                end.complete(loop.get());
            } catch (final RuntimeException | Error failure) {
                end.completeExceptionally(failure);
            }
        });
        boolean isInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join(PUBLISH_INTERVAL_MILLIS);
            } catch (final InterruptedException e) {
                isInterrupted = true;
                stop.run();
            }
            publish.run();
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        if (end.isCompletedExceptionally()) {
            if (end.exceptionNow() instanceof RuntimeException failure) {
                throw failure;
            }
            throw (Error) end.exceptionNow();
        }
        return end.resultNow();
    }
}
