package org.resilire.cli;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.resilire.control.AgentRole;
import picocli.CommandLine.Command;

@Command(
        name = "detach",
        header = "End the protection of a guest and the agent that protects it.",
        description = {
            "",
            "Run it on the primary's host. The same as Ctrl-C in the agent's terminal: the backup is told, held output leaves, the"
                    + " guest runs on untouched. Ends once the agent has; 'resilire run' goes on with its other guests.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = {"  resilire detach --vm db"})
final class DetachCommand extends PrimaryCommand {

    /** From its answer to its end an agent only tidies up, and writes out what the guest wrote to its disks. */
    private static final long END_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** A process that has no other guest's agent has nothing left to do then. */
    private static final long EXIT_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long POLL_MILLIS = 20;

    @Override
    public Integer call() throws IOException {
        final long pid = send(request()).path("pid").asLong();
        try {
            if (!await(() -> !hasRole(AgentRole.PRIMARY, pid) && !hasRole(AgentRole.BACKUP, pid), END_LIMIT_NANOS)) {
                spec.commandLine().getErr().println("resilire: the agent, pid " + pid + ", still tidies up");
                return ExitCode.FAILED;
            }
            await(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty(), EXIT_LIMIT_NANOS);
            return ExitCode.OK;
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    /** An agent that was the guest's backup before keeps that role, and the disks, to its end. */
    private boolean hasRole(final AgentRole role, final long pid) {
        return common.directory(role, spec)
                .liveAgent()
                .filter(agent -> agent.pid() == pid)
                .isPresent();
    }

    private static boolean await(final BooleanSupplier condition, final long limitNanos) throws InterruptedException {
        final long startNanos = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - startNanos > limitNanos) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }
}
