package org.resilire.cli;

import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How long a command waits for a guest that is to be protected anew. */
final class WaitOptions {

    @Option(
            names = "--no-wait",
            description = "Do not wait until the guest is protected anew; 'resilire status' tells when it is.")
    boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "300s",
            description = "How long to wait for that; the agent goes on trying after it. Default: ${DEFAULT-VALUE}.")
    Duration timeout;

    /**
     * As the agent is told: 0 for not at all.
     *
     * @throws ParameterException if the time is none
     */
    long waitMillis(final CommandLine command) {
        if (timeout.toMillis() < 1) {
            throw new ParameterException(command, "--timeout must be at least 1ms; to wait not at all, say --no-wait");
        }
        return noWait ? 0 : timeout.toMillis();
    }
}
