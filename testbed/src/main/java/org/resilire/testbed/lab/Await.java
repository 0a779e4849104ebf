package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.resilire.testbed.TestbedException;

/** Waits for conditions, never longer than they may take. */
public final class Await {

    private static final long POLL_INTERVAL_NANOS = Duration.ofMillis(5).toNanos();

    private Await() {}

    /**
     * Returns once the condition holds.
     *
     * @param complaint what went wrong if it does not hold in time; asked only then
     * @throws TestbedException after the limit, or if the thread is interrupted
     */
    public static void until(final BooleanSupplier condition, final Duration limit, final Supplier<String> complaint) {
        final long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new TestbedException("interrupted");
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw new TestbedException(complaint.get());
            }
            LockSupport.parkNanos(POLL_INTERVAL_NANOS);
        }
    }
}
