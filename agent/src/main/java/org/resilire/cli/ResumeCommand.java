package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

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

    @Option(names = "--no-wait", description = "End at once; 'resilire status' tells when the guest is protected.")
    boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "300s",
            description = "How long to wait for that; the agent goes on trying after it. Default: ${DEFAULT-VALUE}.")
    Duration timeout;

    @Override
    public Integer call() throws IOException {
        if (timeout.toMillis() < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--timeout must be at least 1ms; to wait not at all, say --no-wait");
        }
        send(request().put("waitMillis", noWait ? 0 : timeout.toMillis()));
        return ExitCode.OK;
    }
}
