package org.resilire.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Injects into a process that does nothing before the first that matters: classes are then loaded, method handles linked and
 * much of it compiled, so that the guest stands still for a fraction of a millisecond instead of several.
 */
final class InjectionRehearsal {
    private static final List<String> DECOY = List.of("sleep", "60");
    private static final int ROUNDS = 50;
    private static final long EXEC_TIMEOUT_NANOS = 2_000_000_000L;
    private static final long EXEC_STEP_NANOS = 500_000L;
    private static boolean done;

    private InjectionRehearsal() {}

    /** Once in the life of this JVM. A rehearsal that fails only means a longer stop later. */
    static synchronized void once() {
        if (done) {
            return;
        }
        done = true;
        try (PidFd decoy = PidFd.open(DetachedProcess.start(DECOY, Path.of("/dev/null")))) {
            try {
                if (awaitExec(decoy.pid())) {
                    OnOwnThread.call("injection-rehearsal", () -> rehearse(decoy.pid()));
                }
            } finally {
                decoy.kill();
            }
        } catch (LinuxException | MissingKernelFeatureException e) {
            System.getLogger(InjectionRehearsal.class.getName())
                    .log(System.Logger.Level.DEBUG, "could not rehearse the injection", e);
        }
    }

    /** Until it has become the decoy, its memory is that of the shell that starts it, and goes away under our feet. */
    private static boolean awaitExec(long pid) {
        Path name = Path.of("/proc", Long.toString(pid), "comm");
        long deadlineNanos = System.nanoTime() + EXEC_TIMEOUT_NANOS;
        try {
            while (!Files.readString(name).strip().equals(DECOY.getFirst())) {
                if (System.nanoTime() > deadlineNanos) {
                    return false;
                }
                LockSupport.parkNanos(EXEC_STEP_NANOS);
            }
            return true;
        } catch (IOException gone) {
            return false;
        }
    }

    private static long rehearse(long pid) {
        long nanos = 0;
        for (int round = 0; round < ROUNDS; round++) {
            try (UserFaultFd faults = UserFaultFd.injectFromThisThread(pid)) {
                nanos = faults.injectionNanos();
            }
        }
        return nanos;
    }
}
