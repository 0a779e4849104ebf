package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import org.resilire.control.AgentRole;
import picocli.CommandLine.Command;

@Command(
        name = "failover",
        header = "Let the standby of this host take over now.",
        description = {
            "",
            "Run it on the backup's host. The standby's --fence command is run first, so that a primary that lives is stopped;"
                    + " what it did since its last checkpoint is lost, and clients saw it if it ran unprotected.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = "  resilire failover --vm db")
final class FailoverCommand extends GuestCommand {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Override
    public Integer call() throws IOException {
        agent(AgentRole.BACKUP).send(AgentControl.request("failover"), LIMIT);
        return ExitCode.OK;
    }
}
