package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.resilire.control.AgentRole;
import org.resilire.control.ControlClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

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
final class FailoverCommand implements Callable<Integer> {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Override
    public Integer call() throws IOException {
        try (ControlClient client = ControlClient.connect(common.directory(AgentRole.BACKUP, spec))) {
            final var out = spec.commandLine().getOut();
            out.println(client.request("failover", LIMIT).path("result").asString());
            out.flush();
            return ExitCode.OK;
        }
    }
}
