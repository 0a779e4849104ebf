package org.resilire.testbed.lab;

import java.util.Optional;
import org.resilire.control.ProcessIdentity;
import org.resilire.linux.PidFd;

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

    private static boolean isQemu(final long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().command())
                .filter(command -> command.contains("qemu-system"))
                .isPresent();
    }
}
