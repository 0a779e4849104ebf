package org.resilire.linux;

import java.nio.file.Path;
import java.util.List;

/**
 * Injects into a process that does nothing before the first that matters: classes are then loaded, method handles linked and
 * much of it compiled, so that the guest stands still for a fraction of a millisecond instead of several.
 */
final class InjectionRehearsal {
    private static final List<String> DECOY = List.of("sleep", "60");
    private static final int ROUNDS = 50;
    private static final int SIGKILL = 9;
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
                OnOwnThread.call("injection-rehearsal", () -> rehearse(decoy.pid()));
            } finally {
                decoy.sendSignal(SIGKILL);
            }
        } catch (LinuxException | MissingKernelFeatureException e) {
            System.getLogger(InjectionRehearsal.class.getName())
                    .log(System.Logger.Level.DEBUG, "could not rehearse the injection", e);
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
