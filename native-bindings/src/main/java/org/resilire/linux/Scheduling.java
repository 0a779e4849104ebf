package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Priority and placement of the calling thread, which must be a platform thread. Threads and processes that it starts do not
 * inherit a real-time priority: a guest or a compiler thread must not have it by accident. Needs {@code CAP_SYS_NICE} for anything
 * that raises a priority.
 */
public final class Scheduling {
    private static final String THIS_THREAD = "the calling thread";
    private static final String ADVICE = "run as root, grant CAP_SYS_NICE or raise the limits on nice and rtprio";

    private Scheduling() {}

    /** -20 (first) to 19 (last), of the calling thread alone: on Linux a nice value belongs to a thread. */
    public static void setNice(int nice) {
        check(SysSched.setpriority(nice), "setpriority");
    }

    /**
     * {@code SCHED_FIFO}: runs until it waits, before every normal thread.
     *
     * @param priority 1 (lowest) to 99
     */
    public static void setRealtimePriorityOfThisThread(int priority) {
        check(
                SysSched.schedSetscheduler(SysSched.SCHED_FIFO | SysSched.SCHED_RESET_ON_FORK, priority),
                "sched_setscheduler");
    }

    /** {@code SCHED_RR}: as FIFO, with time slices among threads of the same priority. */
    public static void setRoundRobinPriorityOfThisThread(int priority) {
        check(
                SysSched.schedSetscheduler(SysSched.SCHED_RR | SysSched.SCHED_RESET_ON_FORK, priority),
                "sched_setscheduler");
    }

    /** Back to the normal scheduler. */
    public static void setNormalPriorityOfThisThread() {
        check(SysSched.schedSetscheduler(SysSched.SCHED_OTHER, 0), "sched_setscheduler");
    }

    /** Whether the calling thread runs under {@code SCHED_FIFO} or {@code SCHED_RR}. */
    public static boolean isRealtime() {
        int policy = LinuxException.check(SysSched.schedGetscheduler(), "sched_getscheduler", THIS_THREAD)
                & ~SysSched.SCHED_RESET_ON_FORK;
        return policy == SysSched.SCHED_FIFO || policy == SysSched.SCHED_RR;
    }

    /** Lets the calling thread run on these CPUs only. */
    public static void setAffinityOfThisThread(int... cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(SysSched.CPU_SET_BYTES, Long.BYTES);
            for (int cpu : cpus) {
                int index = cpu / Byte.SIZE;
                set.set(JAVA_BYTE, index, (byte) (set.get(JAVA_BYTE, index) | (1 << (cpu % Byte.SIZE))));
            }
            check(SysSched.schedSetaffinity(set), "sched_setaffinity");
        }
    }

    private static void check(int result, String call) {
        if (result < 0) {
            boolean denied = result == -Errno.EPERM.number() || result == -Errno.EACCES.number();
            throw LinuxException.failure(result, call, THIS_THREAD, denied ? ADVICE : "");
        }
    }
}
