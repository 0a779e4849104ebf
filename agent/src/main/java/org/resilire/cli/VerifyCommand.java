package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import org.resilire.control.AgentRole;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "verify",
        header = "Compare all of a guest's memory with its replica, at one epoch, and its disks.",
        description = {
            "",
            "Run it on the primary's host. The guest pauses while its memory is hashed, about 0.2 ms for each MiB."
                    + " Ends with 1 and names the first pages if any differ.",
            "Disks are compared by hashes of 64 KiB while the guest uses them: each block as it is after the same writes on both"
                    + " hosts. That takes as long as reading them.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = "  resilire verify --vm db")
final class VerifyCommand extends GuestCommand {

    private static final Duration LIMIT = Duration.ofSeconds(40);

    @Override
    public Integer call() throws IOException {
        final ObjectNode answer = agent(AgentRole.PRIMARY).ask(AgentControl.request("verify"), LIMIT);
        final long differing = answer.path("differingPages").asLong();
        final var out = spec.commandLine().getOut();
        boolean disksDiffer = false;
        for (final JsonNode disk : answer.path("disks")) {
            disksDiffer |= disk.path("differingBlocks").asLong() != 0;
            out.println(describe(disk));
        }
        final String counted = answer.path("comparedPages").asLong() + " pages at epoch "
                + answer.path("epoch").asLong();
        if (differing == 0) {
            out.println("equal: " + counted);
            out.flush();
            return disksDiffer ? ExitCode.FAILED : ExitCode.OK;
        }
        out.println(
                "DIFFERENT: " + differing + " of " + counted + "; first pages: " + answer.path("firstDifferingPages"));
        out.flush();
        return ExitCode.FAILED;
    }

    private static String describe(final JsonNode disk) {
        final String counted = disk.path("comparedBlocks").asLong() + " blocks of disk "
                + disk.path("name").asString("");
        final long differing = disk.path("differingBlocks").asLong();
        return differing == 0
                ? "equal: " + counted
                : "DIFFERENT: " + differing + " of " + counted + "; first offsets: "
                        + disk.path("firstDifferingOffsets");
    }
}
