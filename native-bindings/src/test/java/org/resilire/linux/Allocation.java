package org.resilire.linux;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Measures what the calling thread allocates. */
public final class Allocation {
    private static final int CALLS = 20_000;
    /** Where others use the processors too, the compiler may take long to get to what is called here. */
    private static final long LIMIT_NANOS = 90_000_000_000L;
    /** Room for what the measurement itself, or a compilation that ends just then, leaves behind. */
    private static final long TOLERANCE_BYTES_PER_RUN = 2_000;

    private Allocation() {}

    /** Fails unless, once the JIT is through, twenty thousand calls allocate (next to) nothing. */
    public static void assertNone(String what, Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long bytes = Long.MAX_VALUE;
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (bytes > TOLERANCE_BYTES_PER_RUN && System.nanoTime() - deadline < 0) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            bytes = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(bytes <= TOLERANCE_BYTES_PER_RUN, what + " allocates " + (double) bytes / CALLS + " bytes a call");
    }
}
