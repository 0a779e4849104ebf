package org.resilire.testbed.lab;

import java.time.Duration;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.PidFd;

/** SIGKILL by descriptor: the only kind of end that a host's death is like. */
final class ProcessKill {

    private ProcessKill() {}

    /** The process, or null if it is gone. */
    static PidFd hold(final long pid) {
        try {
            return PidFd.open(pid);
        } catch (final LinuxException failure) {
            if (failure.errno() == Errno.ESRCH) {
                return null;
            }
            throw failure;
        }
    }

    /** Sends the signal and returns at once. */
    static void send(final PidFd process) {
        try {
            process.kill();
        } catch (final LinuxException failure) {
            if (failure.errno() != Errno.ESRCH) {
                throw failure;
            }
        }
    }

    /** False if it is still there after the limit. */
    static boolean awaitEnd(final PidFd process, final Duration limit) {
        return process.awaitExit(limit.toNanos());
    }
}
