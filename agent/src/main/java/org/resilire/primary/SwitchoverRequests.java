package org.resilire.primary;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.resilire.control.ControlException;

/**
 * Hands an operator's wish to move the guest to the checkpoint thread, and back what came of it: one at a time. The checkpoint
 * thread looks at one field between checkpoints.
 */
final class SwitchoverRequests {

    /**
     * How a move went.
     *
     * @param host where the guest runs now
     * @param generation that it has there
     * @param pauseNanos that the guest stood still, at most: until this side heard that it runs
     * @param totalNanos from the request
     */
    record Moved(String host, long generation, long pauseNanos, long totalNanos) {}

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final AtomicReference<CompletableFuture<Moved>> waiting = new AtomicReference<>();
    private CompletableFuture<Moved> current;

    /**
     * Asks for a move and waits for its end; a control thread.
     *
     * @param isPossible whether the guest is protected: without, a request that nobody has begun with is withdrawn
     * @throws ControlException if it does not come about; the guest then runs here, unless the message says otherwise
     */
    Moved await(final BooleanSupplier isPossible) throws InterruptedException {
        final CompletableFuture<Moved> request = new CompletableFuture<>();
        if (!waiting.compareAndSet(null, request)) {
            throw new ControlException("a switchover is under way already");
        }
        while (true) {
            try {
                return request.get(LOOK_NANOS, TimeUnit.NANOSECONDS);
            } catch (final ExecutionException e) {
                throw new ControlException(e.getCause().getMessage());
            } catch (final TimeoutException e) {
                if (!isPossible.getAsBoolean() && waiting.compareAndSet(request, null)) {
                    throw new ControlException(
                            "the guest is not protected, so there is nowhere to move it; 'resilire status' tells");
                }
            } catch (final InterruptedException e) {
                waiting.compareAndSet(request, null);
                throw e;
            }
        }
    }

    /** Cheap: for every turn of a loop. */
    boolean isWanted() {
        return waiting.get() != null;
    }

    /** Begins with the request that waits; false if it was withdrawn. Checkpoint thread, as all that follow. */
    boolean begin() {
        current = waiting.getAndSet(null);
        return current != null;
    }

    void moved(final Moved how) {
        current.complete(how);
    }

    /** The text is for the operator. */
    void failed(final String why) {
        current.completeExceptionally(new IllegalStateException(why));
    }
}
