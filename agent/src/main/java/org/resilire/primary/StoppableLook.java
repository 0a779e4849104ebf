package org.resilire.primary;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/**
 * Looks at something that may take long to answer, or never does, without being blind to a stop meanwhile: a thread of its own looks. One
 * that has not come back when this is closed is left to end by itself.
 */
final class StoppableLook implements AutoCloseable {

    private final BooleanSupplier look;
    private final BooleanSupplier stopping;
    private final Runnable meanwhile;
    private final ExecutorService looking = Executors.newSingleThreadExecutor(
            task -> Thread.ofPlatform().daemon().name("look").unstarted(task));

    /**
     * Does not look yet.
     *
     * @param stopping whether the answer is not wanted any more
     * @param meanwhile done again and again while it is waited for; waits a little
     */
    StoppableLook(final BooleanSupplier look, final BooleanSupplier stopping, final Runnable meanwhile) {
        this.look = look;
        this.stopping = stopping;
        this.meanwhile = meanwhile;
    }

    /** Returns what is seen; false if it is not wanted any more. Throws what looking threw. */
    boolean ask() {
        final CompletableFuture<Boolean> seen = CompletableFuture.supplyAsync(look::getAsBoolean, looking);
        while (!seen.isDone()) {
            if (stopping.getAsBoolean()) {
                return false;
            }
            meanwhile.run();
        }
        try {
            return seen.join();
        } catch (final CompletionException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        looking.shutdownNow();
    }
}
