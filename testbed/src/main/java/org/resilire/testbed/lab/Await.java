package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.resilire.testbed.TestbedException;

/** Waits for conditions, never longer than they may take. */
public final class Await {

    private static final Duration POLL_INTERVAL = Duration.ofMillis(5);

    private Await() {}

    /**
     * Returns once the condition holds; looks every few milliseconds.
     *
     * @param complaint what went wrong if it does not hold in time; asked only then
     * @throws TestbedException after the limit, or if the thread is interrupted
     */
    public static void until(final BooleanSupplier condition, final Duration limit, final Supplier<String> complaint) {
        until(condition, limit, POLL_INTERVAL, complaint);
    }

    /** The same for a condition that costs something to look at: once every interval. */
    public static void until(
            final BooleanSupplier condition,
            final Duration limit,
            final Duration interval,
            final Supplier<String> complaint) {
        final long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new TestbedException("interrupted");
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw new TestbedException(complaint.get());
            }
            LockSupport.parkNanos(interval.toNanos());
        }
    }
}
