package org.resilire.cli;

import org.resilire.role.HostAgent;

/** A command that is an agent. */
interface AgentCommand {

    /** The agent that its options describe; it does not run yet. */
    HostAgent agent();
}
