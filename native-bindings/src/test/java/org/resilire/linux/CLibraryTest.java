package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class CLibraryTest {
    private static final MethodHandle LSEEK =
            CLibrary.frequent("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle DUP2 =
            CLibrary.frequent("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));

    /** Method handles specialise themselves once after some hundred calls; escape analysis comes after thousands. */
    private static final int SETTLED_CALLS = 1_000;

    private static final int SMALLEST_OBJECT_BYTES = 8;

    @Test
    void shouldAnswerAsTheKernelDoes() throws Throwable {
        assertEquals(2, (int) DUP2.invokeExact(2, 2));
        assertEquals(-Errno.EBADF.number(), (int) DUP2.invokeExact(-1, 2));
        assertEquals(-Errno.EBADF.number(), (long) LSEEK.invokeExact(-1, 0L, 0));
    }

    @Test
    void shouldLeaveNoGarbageBeforeTheCompilerHasSeenACall() throws Throwable {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        duplicate(SETTLED_CALLS);
        long before = threads.getCurrentThreadAllocatedBytes();
        duplicate(500);
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        // Garbage of every call would be far more; the runtime itself may leave some once.
        assertTrue(bytes < 500 * SMALLEST_OBJECT_BYTES, bytes + " bytes in 500 calls");
    }

    private static void duplicate(int times) throws Throwable {
        for (int i = 0; i < times; i++) {
            assertEquals(2, (int) DUP2.invokeExact(2, 2));
        }
    }
}
