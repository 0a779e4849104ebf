package org.resilire.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code sched.h} and {@code sys/resource.h}; id 0 is the calling thread in both. */
final class SysSched {
    static final int SCHED_OTHER = 0;
    static final int SCHED_FIFO = 1;
    static final int SCHED_RR = 2;

    /** Ored into the policy: children start as normal threads. */
    static final int SCHED_RESET_ON_FORK = 0x40000000;

    static final int PRIO_PROCESS = 0;
    static final int CPU_SET_BYTES = 128;

    private static final MethodHandle SCHED_SETSCHEDULER =
            CLibrary.downcall("sched_setscheduler", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle SCHED_GETSCHEDULER =
            CLibrary.downcall("sched_getscheduler", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle SCHED_SETAFFINITY =
            CLibrary.downcall("sched_setaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle SETPRIORITY =
            CLibrary.downcall("setpriority", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));

    private SysSched() {}

    // SAFETY (setscheduler, setaffinity): segments go to the linker as such and live in an arena that outlives the
    // call.

    /** {@code struct sched_param} is one int. */
    static int schedSetscheduler(int policy, int priority) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = ErrnoCapture.ofThisThread();
            MemorySegment parameter = arena.allocateFrom(JAVA_INT, priority);
            return ErrnoCapture.result((int) SCHED_SETSCHEDULER.invokeExact(errno, 0, policy, parameter), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int schedGetscheduler() {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) SCHED_GETSCHEDULER.invokeExact(errno, 0), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int schedSetaffinity(MemorySegment cpuSet) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) SCHED_SETAFFINITY.invokeExact(errno, 0, cpuSet.byteSize(), cpuSet), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int setpriority(int nice) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) SETPRIORITY.invokeExact(errno, PRIO_PROCESS, 0, nice), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
