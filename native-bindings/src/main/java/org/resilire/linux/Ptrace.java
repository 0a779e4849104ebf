package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * Controls one thread of another process ({@code ptrace(2)}, attached with {@code PTRACE_SEIZE}). The kernel ties a tracee
 * to the tracing <em>thread</em>: all calls must come from the platform thread that created this object, and if that thread
 * ends the kernel detaches by itself.
 *
 * <p>The target must not be a child that this JVM started with {@link ProcessBuilder}: the JVM waits for its children and
 * would take the stop for the child's end. {@link #seize} refuses; {@link DetachedProcess} starts processes that work.
 */
public final class Ptrace {
    private static final int SIGTRAP = 5;
    private static final int SPINS_BEFORE_YIELD = 200;
    private static final int YIELDS_BEFORE_PARK = 2_000;
    private static final long PARK_NANOS = 20_000;
    private static final int WAIT_OPTIONS = SysPtrace.WALL | SysPtrace.WNOTHREAD | SysPtrace.WNOHANG;

    private final int pid;
    private final String object;
    private final Thread owner = Thread.currentThread();
    private final MemorySegment status = Arena.ofAuto().allocate(JAVA_INT);
    private final MemorySegment mask = Arena.ofAuto().allocate(JAVA_LONG);

    /** Prepares to trace a process's main thread, without touching it yet. */
    public Ptrace(long pid) {
        SystemCallNumbers.requireX8664();
        if (owner.isVirtual()) {
            throw new IllegalStateException("ptrace needs a platform thread, the kernel ties a tracee to its tracer");
        }
        this.pid = Math.toIntExact(pid);
        this.object = "process " + pid;
    }

    /** Attaches without stopping it. */
    public void seize() {
        requireNotOwnChild();
        check(request(SysPtrace.PTRACE_SEIZE, 0, 0), "PTRACE_SEIZE");
    }

    /** Asks it to stop; {@link #waitStopped} tells when it has. */
    public void interrupt() {
        check(request(SysPtrace.PTRACE_INTERRUPT, 0, 0), "PTRACE_INTERRUPT");
    }

    /**
     * Waits for the next stop and returns its status as {@code waitpid} gives it.
     *
     * @throws LinuxException {@code ETIMEDOUT}, or {@code ESRCH} if it has ended
     */
    public int waitStopped(long timeoutNanos) {
        requireOwner();
        long deadline = System.nanoTime() + timeoutNanos;
        // A stop takes microseconds, so a short spin finds most; no blocking wait, as a thread in a hung disk read
        // never stops.
        for (int attempt = 0; true; attempt++) {
            int result = SysPtrace.waitpid(pid, status.address(), WAIT_OPTIONS);
            if (result == pid) {
                int stop = status.get(JAVA_INT, 0);
                if (!SysPtrace.isStopped(stop)) {
                    throw new LinuxException("waitpid", object, Errno.ESRCH, "the process has ended");
                }
                return stop;
            }
            check(result, "waitpid");
            if (System.nanoTime() - deadline > 0) {
                throw new LinuxException("waitpid", object, Errno.ETIMEDOUT, "it does not stop; is it in a hung read?");
            }
            pause(attempt);
        }
    }

    // The tracee may need the very CPU that this thread spins on, and every microsecond counts: this is what yield is
    // for.
    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause(int attempt) {
        if (attempt < SPINS_BEFORE_YIELD) {
            Thread.onSpinWait();
        } else if (attempt < YIELDS_BEFORE_PARK) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(PARK_NANOS);
        }
    }

    public void getRegs(Registers registers) {
        check(request(SysPtrace.PTRACE_GETREGS, 0, registers.address()), "PTRACE_GETREGS");
    }

    public void setRegs(Registers registers) {
        check(request(SysPtrace.PTRACE_SETREGS, 0, registers.address()), "PTRACE_SETREGS");
    }

    /** The signals that the thread has blocked, bit {@code n - 1} for signal {@code n}. */
    public long signalMask() {
        check(request(SysPtrace.PTRACE_GETSIGMASK, Long.BYTES, mask.address()), "PTRACE_GETSIGMASK");
        return mask.get(JAVA_LONG, 0);
    }

    public void signalMask(long blocked) {
        mask.set(JAVA_LONG, 0, blocked);
        check(request(SysPtrace.PTRACE_SETSIGMASK, Long.BYTES, mask.address()), "PTRACE_SETSIGMASK");
    }

    /** Lets it execute one instruction; a pending signal stops it before that. */
    public void singleStep() {
        check(request(SysPtrace.PTRACE_SINGLESTEP, 0, 0), "PTRACE_SINGLESTEP");
    }

    /** Lets it run on, delivering a signal first (0: none). */
    public void resume(int signal) {
        check(request(SysPtrace.PTRACE_CONT, 0, signal), "PTRACE_CONT");
    }

    /** Lets it go. It must be stopped. */
    public void detach() {
        check(request(SysPtrace.PTRACE_DETACH, 0, 0), "PTRACE_DETACH");
    }

    /** After the target's death: lets its parent see it, which the kernel puts off until the tracer has. */
    void reap() {
        requireOwner();
        SysPtrace.waitpid(pid, status.address(), WAIT_OPTIONS);
    }

    /** Fills a native segment from the process's memory; needs no stop. */
    public void readMemory(long address, MemorySegment into) {
        readMemory(pid, address, into);
    }

    static void readMemory(long pid, long address, MemorySegment into) {
        try (FileDescriptor memory = openMemory(pid)) {
            readMemory(memory, address, into);
        }
    }

    static FileDescriptor openMemory(long pid) {
        return FileDescriptor.open(Path.of("/proc/" + pid + "/mem"), Fcntl.O_RDONLY);
    }

    static void readMemory(FileDescriptor memory, long address, MemorySegment into) {
        try {
            long buffer = NativeMemory.address(into, 0, into.byteSize());
            long read = Unistd.pread(memory.number(), buffer, into.byteSize(), address);
            LinuxException.check(read, "pread", memory.object());
            if (read == 0) {
                // Once a process that ends has given its memory back the kernel reports an end of file, not an error.
                throw new LinuxException("pread", memory.object(), Errno.ESRCH, "the process is ending");
            }
            if (read != into.byteSize()) {
                throw new LinuxException("pread", memory.object(), Errno.EFAULT);
            }
        } finally {
            Reference.reachabilityFence(into);
        }
    }

    static boolean isSingleStepTrap(int stop) {
        return SysPtrace.stopEvent(stop) == 0 && SysPtrace.stopSignal(stop) == SIGTRAP;
    }

    static boolean isInterruptStop(int stop) {
        return SysPtrace.stopEvent(stop) == SysPtrace.PTRACE_EVENT_STOP;
    }

    private void requireNotOwnChild() {
        boolean ownChild = ProcessHandle.of(pid)
                .flatMap(ProcessHandle::parent)
                .filter(ProcessHandle.current()::equals)
                .isPresent();
        if (ownChild) {
            throw new IllegalStateException(object + " is a child of this JVM, which would take the stop for its end;"
                    + " start it so that it is not (DetachedProcess)");
        }
    }

    private long request(long request, long address, long data) {
        requireOwner();
        return SysPtrace.ptrace(request, pid, address, data);
    }

    private void requireOwner() {
        if (!Thread.currentThread().equals(owner)) {
            throw new IllegalStateException("only " + owner + " may trace " + object);
        }
    }

    private void check(long result, String call) {
        if (result < 0) {
            throw LinuxException.failure(result, call, object, result == -Errno.EPERM.number() ? advice() : "");
        }
    }

    private String advice() {
        return "run as root or grant CAP_SYS_PTRACE; no debugger may be attached to it";
    }
}
