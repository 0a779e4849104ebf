package org.resilire.synthetic;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what must happen, and fails if it does not. */
public final class Await {

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long STEP_NANOS = 100_000;

    private Await() {}

    public static void until(final String what, final BooleanSupplier condition) {
        until(what, condition, () -> LockSupport.parkNanos(STEP_NANOS));
    }

    /** Works between looking. */
    public static void until(final String what, final BooleanSupplier condition, final Runnable work) {
        final long deadlineNanos = System.nanoTime() + LIMIT_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNanos > 0) {
                throw new AssertionError("not within 30 s: " + what);
            }
            work.run();
        }
    }
}
