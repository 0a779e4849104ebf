package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.SplittableRandom;
import org.resilire.testbed.lab.AgentOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What can be said about every shown failover, whatever the guest does. */
@Command(
        sortOptions = false,
        usageHelpAutoWidth = true,
        footerHeading = "%nExamples:%n",
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:every promise was kept",
            "1:a promise was broken: which one is said",
            "2:an argument is wrong",
            "3:it could not be shown: something before the failover did not work"
        })
final class FailoverOptions {

    static final int BROKEN_PROMISE = 1;
    static final int NOT_SHOWN = 3;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there, too.")
    private Path json;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description = "Fail over N times, each with a fresh guest, and show the distributions.")
    private int repeat;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            defaultValue = "20ms",
            converter = MillisConverter.class,
            description = "From checkpoint to checkpoint. Default: ${DEFAULT-VALUE}.")
    private Duration period;

    @Option(
            names = "--detect-timeout",
            paramLabel = "TIME",
            defaultValue = "100ms",
            converter = MillisConverter.class,
            description =
                    "Silence after which a host counts as failed; more where the machine is busy with other things."
                            + " Default: ${DEFAULT-VALUE}.")
    private Duration detectTimeout;

    @Option(
            names = "--protect",
            paramLabel = "ARGS",
            defaultValue = "",
            description =
                    "More arguments of 'resilire protect', between blanks, as in --protect '--mode remus --codec lz4'.")
    private String protectArguments;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the instant of the kill; random if not given, and always shown.")
    private Long seed;

    @Option(
            names = "--keep-logs",
            paramLabel = "DIR",
            description = "Keep logs, consoles and the clients' records there.")
    private Path keepLogs;

    @Option(names = "--verbose", description = "Show every step of repeated runs, and stack traces.")
    private boolean isVerbose;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean isHelpWanted;

    boolean isVerbose() {
        return isVerbose;
    }

    /** @throws ParameterException if an argument of these is wrong */
    void require() {
        requireAtLeast("--repeat", repeat, 1);
        if (json != null) {
            ResultFile.requireWritable(json);
        }
    }

    /** @throws ParameterException if a value of the command is smaller */
    void requireAtLeast(final String option, final int value, final int least) {
        if (value < least) {
            throw new ParameterException(command.commandLine(), option + " must be at least " + least);
        }
    }

    AgentOptions agents() {
        final AgentOptions agents = AgentOptions.defaults().withPeriod(period).withDetectTimeout(detectTimeout);
        return protectArguments.isBlank()
                ? agents
                : agents.withPrimaryExtra(protectArguments.strip().split("\\s+"));
    }

    /** Of the first failover. Short if it was not given, so that it is easily given again. */
    long firstSeed() {
        return seed != null ? seed : new SplittableRandom().nextLong(1_000_000);
    }

    Narrator narrator() {
        return new Narrator(command.commandLine().getOut(), repeat == 1 || isVerbose);
    }

    int repeat() {
        return repeat;
    }

    /** Null: the result is not written down. */
    Path json() {
        return json;
    }

    /** Of a failover, counted from 1. Null: they are not kept. */
    Path logsOf(final int number) {
        if (keepLogs == null) {
            return null;
        }
        final Path logs = keepLogs.toAbsolutePath();
        return repeat == 1 ? logs : logs.resolve(String.format(Locale.ROOT, "run-%03d", number));
    }
}
