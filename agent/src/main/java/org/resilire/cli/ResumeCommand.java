package org.resilire.cli;

import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "resume",
        header = "Protect a guest again after 'resilire pause'.",
        description = {
            "",
            "Run it on the primary's host. The guest's memory is copied to the backup anew while it runs. Ends once the guest is"
                    + " protected; with 1 if it is not in time, or if protection was not paused.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {"  resilire resume --vm db", "  resilire resume --vm db --no-wait && resilire status --vm db"})
final class ResumeCommand extends PrimaryCommand {

    @Mixin
    WaitOptions wait;

    @Override
    public Integer call() throws IOException {
        send(request().put("waitMillis", wait.waitMillis(spec.commandLine())));
        return ExitCode.OK;
    }
}
