package org.resilire.cli;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;

@Command(
        name = "detach",
        header = "End the protection of a guest and the agent that protects it.",
        description = {
            "",
            "Run it on the primary's host. The same as Ctrl-C in the agent's terminal: the backup is told, held output leaves, the"
                    + " guest runs on untouched. Ends once the agent's process has.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = {"  resilire detach --vm db"})
final class DetachCommand extends PrimaryCommand {

    /** From its answer to its end an agent only tidies up, and writes out what the guest wrote to its disks. */
    private static final long EXIT_LIMIT_SECONDS = 60;

    @Override
    public Integer call() throws IOException {
        return awaitExit(send(request()).path("pid").asLong());
    }

    private int awaitExit(final long pid) {
        try {
            final ProcessHandle agent = ProcessHandle.of(pid).orElse(null);
            if (agent != null) {
                agent.onExit().get(EXIT_LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            return ExitCode.OK;
        } catch (final TimeoutException | ExecutionException e) {
            spec.commandLine().getErr().println("resilire: the agent, pid " + pid + ", still tidies up");
            return ExitCode.FAILED;
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }
}
