package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.resilire.testbed.ProgramOptions;
import org.resilire.testbed.lab.AgentOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What can be said about everything that is shown with a guest and its clients. */
@Command(
        exitCodeList = {
            "0:every promise was kept",
            "1:a promise was broken: which one is said",
            "2:an argument is wrong",
            "3:it could not be shown: something did not work"
        })
class RunOptions extends ProgramOptions {

    static final int BROKEN_PROMISE = 1;
    static final int NOT_SHOWN = 3;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there, too.")
    private Path json;

    @Option(
            names = "--detect-timeout",
            paramLabel = "TIME",
            converter = MillisConverter.class,
            description =
                    "Silence after which a host counts as failed; more where the machine is busy with other things."
                            + " Default: 100ms; 200ms where roles change.")
    private Duration detectTimeout;

    @Option(
            names = "--protect",
            paramLabel = "ARGS",
            defaultValue = "",
            description =
                    "More arguments of 'resilire protect', between blanks, as in --protect '--mode remus --codec lz4';"
                            + " where roles change, for both agents.")
    private String protectArguments;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the instants at which something is done; random if not given, and always shown.")
    private Long seed;

    @Option(
            names = "--keep-logs",
            paramLabel = "DIR",
            description = "Keep logs, consoles and the clients' records there.")
    private Path keepLogs;

    @Option(names = "--verbose", description = "Show stack traces, and of repeated runs every step.")
    private boolean isVerbose;

    /** @throws picocli.CommandLine.ParameterException if an argument of these is wrong */
    void require() {
        if (json != null) {
            ResultFile.requireWritable(json);
        }
    }

    final boolean isVerbose() {
        return isVerbose;
    }

    /** Null: the result is not written down. */
    final Path json() {
        return json;
    }

    /** Null: they are not kept. */
    final Path logs() {
        return keepLogs == null ? null : keepLogs.toAbsolutePath();
    }

    /** Short if it was not given, so that it is easily given again. */
    final long seed() {
        return seed != null ? seed : new SplittableRandom().nextLong(1_000_000);
    }

    /** @param defaultTimeout if none was given */
    final AgentOptions withDetectTimeout(final AgentOptions agents, final Duration defaultTimeout) {
        return agents.withDetectTimeout(detectTimeout == null ? defaultTimeout : detectTimeout);
    }

    /** Those that were given. */
    final String[] protectArguments() {
        return protectArguments.isBlank()
                ? new String[0]
                : protectArguments.strip().split("\\s+");
    }
}
