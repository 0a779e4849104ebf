package org.resilire.cli;

import org.resilire.role.HostAgent;

/** Exit codes of {@code resilire}, as its help documents them. */
final class ExitCode {

    static final int OK = 0;
    /** What was asked for did not come true: a comparison found a difference, the guest was lost, a failover did not happen. */
    static final int FAILED = 1;
    /** Unknown or missing option, or a value that cannot be. */
    static final int USAGE = 2;
    /** The configuration file cannot be used. */
    static final int CONFIGURATION = 3;
    /** This host lacks something: a capability, a kernel feature, a device, a disk image, a free port. */
    static final int HOST = 4;
    /** The guest cannot be protected as it was started. */
    static final int GUEST = 5;
    /** The other agent refused, or runs the guest itself. */
    static final int PEER = 6;
    /** No such agent runs here, or one runs already. */
    static final int AGENT = 7;
    /** A bug: please report it. */
    static final int INTERNAL = 70;
    /** Ended by Ctrl-C before it had begun, or while it waited; an agent that ends in order says {@link #OK}. */
    static final int INTERRUPTED = 130;

    private ExitCode() {}

    /** Of an agent that ended that way. */
    static int of(final HostAgent.Outcome outcome) {
        return switch (outcome) {
            case STOPPED, SWITCHED_OVER -> OK;
            case GUEST_LOST -> FAILED;
            case SUPERSEDED, REFUSED -> PEER;
        };
    }
}
