package org.resilire.cli;

import java.io.IOException;
import org.resilire.control.AgentRole;
import tools.jackson.databind.node.ObjectNode;

/** A command to the agent that protects a guest: unless it says more, the agent is sent its name. */
abstract class PrimaryCommand extends GuestCommand {

    @Override
    public Integer call() throws IOException {
        send(request());
        return ExitCode.OK;
    }

    /** The command's name, to be added to. */
    final ObjectNode request() {
        return AgentControl.request(spec.name());
    }

    /** Returns the answer, whose result was printed. */
    final ObjectNode send(final ObjectNode request) throws IOException {
        return agent(AgentRole.PRIMARY).send(request, AgentControl.LINE_LIMIT);
    }
}
