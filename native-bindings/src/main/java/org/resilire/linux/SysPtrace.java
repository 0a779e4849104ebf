package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code sys/ptrace.h}, {@code linux/ptrace.h} and {@code sys/wait.h}. */
final class SysPtrace {
    static final long PTRACE_CONT = 7;
    static final long PTRACE_SINGLESTEP = 9;
    static final long PTRACE_GETREGS = 12;
    static final long PTRACE_SETREGS = 13;
    static final long PTRACE_DETACH = 17;
    static final long PTRACE_SEIZE = 0x4206;
    static final long PTRACE_INTERRUPT = 0x4207;
    static final long PTRACE_GETSIGMASK = 0x420a;
    static final long PTRACE_SETSIGMASK = 0x420b;

    static final int PTRACE_EVENT_STOP = 128;

    static final int WNOHANG = 1;
    static final int WNOTHREAD = 0x2000_0000;
    static final int WALL = 0x4000_0000;

    private static final MethodHandle PTRACE =
            CLibrary.variadic("ptrace", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle WAITPID =
            CLibrary.downcall("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT));

    private SysPtrace() {}

    // SAFETY: data is a number, or the address of a buffer of the size that the request demands, owned by the caller.
    static long ptrace(long request, int pid, long address, long data) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) PTRACE.invokeExact(errno, request, pid, address, data), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    // SAFETY: statusAddress points at an int owned by the caller.
    static int waitpid(int pid, long statusAddress, int options) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) WAITPID.invokeExact(errno, pid, statusAddress, options), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static boolean isStopped(int status) {
        return (status & 0xff) == 0x7f;
    }

    static int stopSignal(int status) {
        return (status >> 8) & 0xff;
    }

    static int stopEvent(int status) {
        return status >> 16;
    }
}
