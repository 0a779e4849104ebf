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
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "verify",
        header = "Compare all of a guest's memory with its replica, at one epoch.",
        description = {
            "",
            "Run it on the primary's host. The guest pauses while its memory is hashed, about 0.2 ms for each MiB."
                    + " Ends with 1 and names the first pages if any differ.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = "  resilire verify --vm db")
final class VerifyCommand implements Callable<Integer> {

    private static final Duration LIMIT = Duration.ofSeconds(40);

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Override
    public Integer call() throws IOException {
        final ObjectNode answer;
        try (ControlClient client = ControlClient.connect(common.directory(AgentRole.PRIMARY, spec))) {
            answer = client.request("verify", LIMIT);
        }
        final long differing = answer.path("differingPages").asLong();
        final var out = spec.commandLine().getOut();
        final String counted = answer.path("comparedPages").asLong() + " pages at epoch "
                + answer.path("epoch").asLong();
        if (differing == 0) {
            out.println("equal: " + counted);
            out.flush();
            return ExitCode.OK;
        }
        out.println(
                "DIFFERENT: " + differing + " of " + counted + "; first pages: " + answer.path("firstDifferingPages"));
        out.flush();
        return ExitCode.FAILED;
    }
}
