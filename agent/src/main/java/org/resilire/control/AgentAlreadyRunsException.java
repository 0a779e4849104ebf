package org.resilire.control;

import java.io.IOException;
import java.util.Optional;

/** A second agent for the same guest and role was refused. */
public final class AgentAlreadyRunsException extends IOException {

    private static final long serialVersionUID = 1L;

    AgentAlreadyRunsException(final RunDirectory directory, final Optional<ProcessIdentity> other) {
        super("an agent for VM " + directory.vmName() + " already runs as "
                + directory.role().label()
                + other.map(process -> ", pid " + process.pid()).orElse("") + "; see `resilire status`");
    }
}
