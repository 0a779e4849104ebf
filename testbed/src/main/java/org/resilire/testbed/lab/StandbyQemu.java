package org.resilire.testbed.lab;

import java.util.Optional;
import org.resilire.control.ProcessIdentity;
import org.resilire.linux.PidFd;
import org.resilire.testbed.TestbedException;

/** The QEMU on host B, which the agent there starts and replaces. */
public final class StandbyQemu {

    private static final String RECORD = "qemu-b";

    private StandbyQemu() {}

    /** Looks for it, and records it for {@code testbed/run clean}; empty if none runs. */
    public static Optional<ProcessIdentity> find(final Lab lab) {
        Optional<ProcessIdentity> found = Optional.empty();
        for (final PidFd process : lab.hostB().namespace().processes()) {
            try (process) {
                if (isQemu(process.pid())) {
                    found = ProcessIdentity.of(process.pid());
                }
            }
        }
        found.ifPresent(identity -> lab.record(RECORD, identity));
        return found;
    }

    /** Does something while it stands still: not one more request to its disks is made. */
    public static void whileStopped(final Lab lab, final Runnable work) {
        final String pid = Long.toString(find(lab)
                .orElseThrow(() -> new TestbedException("no QEMU runs on host B"))
                .pid());
        Commands.run("kill", "-STOP", pid);
        try {
            work.run();
        } finally {
            Commands.run("kill", "-CONT", pid);
        }
    }

    private static boolean isQemu(final long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().command())
                .filter(command -> command.contains("qemu-system"))
                .isPresent();
    }
}
