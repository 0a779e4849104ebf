package org.resilire.linux;

/**
 * Makes the main thread of a running process execute system calls of our choice, then lets it go on as if nothing had
 * happened, in the middle of a system call too (which the kernel restarts). Other threads of the process keep running.
 *
 * <p>From {@link #attach} to {@link #close} the thread stands still, and if this process is killed within that time the
 * target is left in the middle of the injected call. Prepare everything before; do nothing in between that waits.
 * All calls from one platform thread; should that thread end, the kernel lets the target go.
 *
 * <p>{@code close} restores before it detaches, and is needed after every failure too: use try-with-resources.
 */
public final class SyscallInjector implements AutoCloseable {
    private static final long STOP_TIMEOUT_NANOS = 1_000_000_000L;
    private static final int LARGEST_ARGUMENT_COUNT = 6;
    private static final int SIGTRAP = 5;
    /** A single step ends in a SIGTRAP, and the kernel would reset the target's handler if that were blocked. */
    private static final long ALL_SIGNALS_BUT_TRAP = ~(1L << (SIGTRAP - 1));

    private static final int SIGSTOP = 19;
    private static final int SIGILL = 4;
    private static final int SIGBUS = 7;
    private static final int SIGSEGV = 11;

    private final long pid;
    private final Ptrace ptrace;
    private final Registers saved = new Registers();
    private final Registers call = new Registers();
    private final long instruction;
    private long savedSignalMask;
    private boolean stopped;
    private boolean changed;
    private boolean stopSignalSwallowed;
    private long attachedAtNanos;
    private long stoppedNanos;

    private SyscallInjector(long pid) {
        this.pid = pid;
        ptrace = new Ptrace(pid);
        instruction = VdsoSyscall.find(pid);
    }

    /** Stops the main thread of a process. Nothing it was doing is lost. */
    public static SyscallInjector attach(long pid) {
        SyscallInjector injector = prepare(pid);
        injector.stop();
        return injector;
    }

    /** Everything of {@link #attach} that does not need the target to stand still. */
    static SyscallInjector prepare(long pid) {
        return new SyscallInjector(pid);
    }

    void stop() {
        ptrace.seize();
        attachedAtNanos = System.nanoTime();
        try {
            ptrace.interrupt();
            awaitInterruptStop();
            stopped = true;
            ptrace.getRegs(saved);
            if (!saved.is64Bit()) {
                throw new UnsupportedOperationException("process " + pid + " runs 32-bit code");
            }
            savedSignalMask = ptrace.signalMask();
        } catch (RuntimeException failure) {
            abandon(failure);
            throw failure;
        }
    }

    /** A signal may arrive at that very moment: it is delivered as usual, and the stop comes right behind it. */
    private void awaitInterruptStop() {
        int stop = ptrace.waitStopped(STOP_TIMEOUT_NANOS);
        while (!Ptrace.isInterruptStop(stop)) {
            ptrace.resume(SysPtrace.stopSignal(stop));
            stop = ptrace.waitStopped(STOP_TIMEOUT_NANOS);
        }
    }

    /**
     * Executes one system call in the target and returns what the kernel answered, a negative errno on failure. Pointers
     * among the arguments are the target's. The call must not block.
     */
    public long inject(long number, long... arguments) {
        if (!stopped) {
            throw new IllegalStateException("process " + pid + " is not stopped");
        }
        if (arguments.length > LARGEST_ARGUMENT_COUNT) {
            throw new IllegalArgumentException("a system call has at most six arguments, not " + arguments.length);
        }
        if (!changed) {
            changed = true;
            ptrace.signalMask(ALL_SIGNALS_BUT_TRAP);
        }
        call.toSystemCall(saved, instruction, number, arguments);
        ptrace.setRegs(call);
        step();
        ptrace.getRegs(call);
        if (call.instructionPointer() != instruction + VdsoSyscall.INSTRUCTION_BYTES) {
            throw new IllegalStateException(String.format(
                    "process %d stands at %#x after an injected system call at %#x",
                    pid, call.instructionPointer(), instruction));
        }
        return call.result();
    }

    /** With all signals blocked only SIGSTOP, group stops and the trap itself can end a step; all but the trap come before it. */
    private void step() {
        stopped = false;
        ptrace.singleStep();
        int stop = ptrace.waitStopped(STOP_TIMEOUT_NANOS);
        while (!Ptrace.isSingleStepTrap(stop)) {
            if (isFault(stop)) {
                // Stepping on would fault again for ever. The registers are still ours to restore.
                stopped = true;
                throw new IllegalStateException("process " + pid + " has no system call instruction at "
                        + Long.toHexString(instruction) + " any more: it has executed another program meanwhile");
            }
            stopSignalSwallowed |= SysPtrace.stopEvent(stop) == 0 && SysPtrace.stopSignal(stop) == SIGSTOP;
            ptrace.singleStep();
            stop = ptrace.waitStopped(STOP_TIMEOUT_NANOS);
        }
        stopped = true;
    }

    private static boolean isFault(int stop) {
        int signal = SysPtrace.stopSignal(stop);
        return SysPtrace.stopEvent(stop) == 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL);
    }

    private void abandon(RuntimeException failure) {
        try {
            close();
        } catch (RuntimeException second) {
            failure.addSuppressed(second);
        }
    }

    /** How long the target stood still; after {@link #close}. */
    public long stoppedNanos() {
        return stoppedNanos;
    }

    /** Restores registers and signal mask and lets the target go. A target that has died needs neither. */
    @Override
    public void close() {
        if (!stopped) {
            return;
        }
        stopped = false;
        try {
            restoreAndDetach();
        } catch (LinuxException failure) {
            if (failure.errno() != Errno.ESRCH) {
                throw failure;
            }
            ptrace.reap();
        }
        stoppedNanos = System.nanoTime() - attachedAtNanos;
    }

    private void restoreAndDetach() {
        if (changed) {
            changed = false;
            ptrace.setRegs(saved);
            ptrace.signalMask(savedSignalMask);
        }
        ptrace.detach();
        if (stopSignalSwallowed) {
            try (PidFd target = PidFd.open(pid)) {
                target.sendSignal(SIGSTOP);
            }
        }
    }
}
