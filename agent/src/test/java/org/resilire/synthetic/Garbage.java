package org.resilire.synthetic;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/** Measures what the calling thread leaves on the heap once the compiler is through. */
public final class Garbage {

    /** Where others use the processors too, the compiler may take long to get to what is called here. */
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private Garbage() {}

    /**
     * Fails if every round of the work leaves so much or more. A round in which code was still interpreted or is replaced
     * says nothing about the steady state; what the work itself allocates, each round does.
     *
     * @param limitBytes a round, with room for what the runtime itself does on this thread now and then
     */
    public static void assertBelow(final long limitBytes, final String what, final Runnable round) {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final long deadlineNanos = System.nanoTime() + LIMIT_NANOS;
        long bytes;
        do {
            final long before = threads.getCurrentThreadAllocatedBytes();
            round.run();
            bytes = threads.getCurrentThreadAllocatedBytes() - before;
        } while (bytes >= limitBytes && System.nanoTime() - deadlineNanos < 0);
        assertTrue(bytes < limitBytes, bytes + " bytes in " + what);
    }
}
