package org.resilire.primary;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Hands a wish to compare primary and replica from any thread to the checkpoint thread, and the result back. */
public final class VerifyRequests {

    /**
     * What came of a comparison.
     *
     * @param epoch the epoch at which both memories were hashed
     * @param firstDiffering page indices, at most 16
     */
    public record Outcome(long epoch, long comparedPages, long differingPages, List<Long> firstDiffering) {}

    private final List<CompletableFuture<Outcome>> waiting = new ArrayList<>();
    private volatile boolean requested;
    private long takenWithEpoch;

    /**
     * Asks for a comparison at the next checkpoint and waits for it.
     *
     * @throws TimeoutException if none was made and answered in time: the guest is not protected, or the backup is slow
     */
    public Outcome await(final long timeoutNanos) throws TimeoutException, InterruptedException {
        final CompletableFuture<Outcome> result = new CompletableFuture<>();
        synchronized (waiting) {
            waiting.add(result);
            requested = true;
        }
        try {
            return result.get(timeoutNanos, TimeUnit.NANOSECONDS);
        } catch (final ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            // Whoever gave up must not be kept until there is a comparison, which may be never.
            result.cancel(false);
            synchronized (waiting) {
                waiting.removeIf(CompletableFuture::isDone);
            }
        }
    }

    /** How many wait. Any thread. */
    int waiting() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    /**
     * True once for every request, or for several made at a time. Checkpoint thread.
     *
     * @param epoch the checkpoint that will be compared: no earlier one answers the request
     */
    boolean takeRequest(final long epoch) {
        if (!requested) {
            return false;
        }
        takenWithEpoch = epoch;
        requested = false;
        return true;
    }

    /** Answers all who wait, if what was compared is not older than what they asked for. Checkpoint thread. */
    void complete(final PrimarySession.VerifyReport report) {
        final Outcome outcome =
                new Outcome(report.epoch(), report.comparedPages(), report.differingPages(), report.firstDiffering());
        synchronized (waiting) {
            if (!requested && report.epoch() >= takenWithEpoch) {
                waiting.forEach(result -> result.complete(outcome));
                waiting.clear();
            }
        }
    }
}
