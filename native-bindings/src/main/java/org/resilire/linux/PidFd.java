package org.resilire.linux;

/**
 * A process held by descriptor ({@code pidfd_open(2)}): unlike a pid, it can never come to mean another process. Any thread.
 * Works for every process, not only for children.
 */
public final class PidFd implements AutoCloseable {
    private static final int SIGKILL = 9;

    private final long pid;
    private final FileDescriptor descriptor;
    private final Object exitLock = new Object();
    private Poller exitPoller;

    private PidFd(long pid, FileDescriptor descriptor) {
        this.pid = pid;
        this.descriptor = descriptor;
    }

    /** {@code ESRCH} if there is no such process. */
    public static PidFd open(long pid) {
        int number = (int) Unistd.syscall(SystemCallNumbers.SYS_PIDFD_OPEN, pid, 0, 0, 0);
        return new PidFd(pid, FileDescriptor.adopt(number, "pidfd_open", "process " + pid));
    }

    public long pid() {
        return pid;
    }

    public int number() {
        return descriptor.number();
    }

    /** Gets a descriptor of the other process as our own ({@code pidfd_getfd(2)}); needs the right to ptrace it. */
    public FileDescriptor duplicate(int targetFd) {
        return FileDescriptor.adopt(
                duplicateRaw(targetFd), "pidfd_getfd", "descriptor " + targetFd + " of process " + pid);
    }

    /** The same without exceptions: a descriptor, or a negative errno. */
    int duplicateRaw(int targetFd) {
        return (int) Unistd.syscall(SystemCallNumbers.SYS_PIDFD_GETFD, number(), targetFd, 0, 0);
    }

    /** Looks without waiting; allocates nothing but at the first call, for an agent asks all the time. */
    public boolean hasExited() {
        synchronized (exitLock) {
            if (exitPoller == null) {
                exitPoller = new Poller(number());
            }
            return exitPoller.poll(0) > 0;
        }
    }

    /** Waits for the process to end; false after the timeout. Negative: without limit. */
    public boolean awaitExit(long timeoutNanos) {
        try (Poller poller = new Poller(number())) {
            return poller.poll(timeoutNanos) > 0;
        }
    }

    /** {@code ESRCH} if it has ended. Signal numbers as in {@code signal(7)}, e.g. 9 for SIGKILL. */
    public void sendSignal(int signal) {
        long result = Unistd.syscall(SystemCallNumbers.SYS_PIDFD_SEND_SIGNAL, number(), signal, 0, 0);
        LinuxException.check(result, "pidfd_send_signal", "process " + pid);
    }

    /** SIGKILL: returns before the process has ended, which nothing prevents any more. */
    public void kill() {
        sendSignal(SIGKILL);
    }

    @Override
    public void close() {
        synchronized (exitLock) {
            if (exitPoller != null) {
                exitPoller.close();
            }
            descriptor.close();
        }
    }
}
