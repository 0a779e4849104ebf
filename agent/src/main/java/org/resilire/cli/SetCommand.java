package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import org.resilire.codec.PageCodec;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.PolicySettings.Kind;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "set",
        header = "Change how a guest is protected, while it is.",
        description = {
            "",
            "Run it on the primary's host. When checkpoints are made changes with the next epoch. What travels of a page changes with"
                    + " a new session: the guest runs unprotected until its memory has been copied anew, for which this waits.",
            "",
            "What is not said stays as it is; but with --mode or --identify, what is not said about the mode is as when 'resilire"
                    + " protect' is started with them. Only what is said here counts, not the configuration file; an agent that"
                    + " is started anew begins with its own options again.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire set --vm db --period 10ms",
            "  resilire set --vm db --policy output --max-period 100ms",
            "  resilire set --vm db --policy adaptive --target-overhead 10%%",
            "  resilire set --vm db --codec delta+pack+lz4",
            "  resilire set --vm db --mode remus --no-wait",
        })
final class SetCommand extends PrimaryCommand {

    @Option(
            names = "--policy",
            paramLabel = "WHEN",
            description = "periodic, output or adaptive; see 'resilire protect --help'.")
    Kind policy;

    @Option(names = "--period", paramLabel = "TIME", description = "From checkpoint to checkpoint, 1ms or more.")
    Duration period;

    @Option(
            names = "--min-period",
            paramLabel = "TIME",
            description = "Least time between two, of --policy output and adaptive.")
    Duration minPeriod;

    @Option(
            names = "--max-period",
            paramLabel = "TIME",
            description = "Greatest time between two, of --policy output and adaptive.")
    Duration maxPeriod;

    @Option(
            names = "--target-delay",
            paramLabel = "TIME",
            description = "For --policy adaptive. A target that is given replaces both.")
    Duration targetDelay;

    @Option(
            names = "--target-overhead",
            paramLabel = "PERCENT",
            converter = PercentConverter.class,
            description = "For --policy adaptive. A target that is given replaces both.")
    Double targetOverhead;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "fgbi or remus, of an agent that began with one of them; see 'resilire protect --help'.")
    ModeOptions.Mode mode;

    @Option(names = "--identify", paramLabel = "HOW", description = "shadow or hash.")
    Identification identify;

    @Option(names = "--block", paramLabel = "BYTES", description = "64, 128 or 256.")
    Integer blockBytes;

    @Option(names = "--codec", paramLabel = "CODEC", description = "How blocks are made smaller.")
    String codec;

    @Option(names = "--sharing", paramLabel = "on|off", description = "Refer to blocks that the backup has elsewhere.")
    ModeOptions.Sharing sharing;

    @Mixin
    WaitOptions wait;

    @Override
    public Integer call() throws IOException {
        final long waitMillis = wait.waitMillis(spec.commandLine());
        final ObjectNode request = request();
        final int nothing = request.size();
        if (isSaid("--policy")) {
            request.put("policy", policy.name());
        }
        putNanos(request, "--period", "periodNanos", period);
        putNanos(request, "--min-period", "minPeriodNanos", minPeriod);
        putNanos(request, "--max-period", "maxPeriodNanos", maxPeriod);
        putNanos(request, "--target-delay", "targetDelayNanos", targetDelay);
        if (isSaid("--target-overhead")) {
            request.put("targetOverhead", targetOverhead);
        }
        putMode(request);
        if (request.size() == nothing) {
            throw new ParameterException(spec.commandLine(), "there is nothing to set: say what, for example --period");
        }
        checkValues();
        request.put("waitMillis", waitMillis);
        send(request);
        return ExitCode.OK;
    }

    /** What can be known here to be impossible, whatever the agent has now, is a mistake of whoever typed it. */
    private void checkValues() {
        if (isSaid("--mode") && mode == ModeOptions.Mode.LLM) {
            throw new ParameterException(
                    spec.commandLine(), "--mode llm cannot begin while an agent runs: give it to 'resilire protect'");
        }
        try {
            new PolicySettings(
                    Kind.ADAPTIVE,
                    nanosOr("--period", period, PolicySettings.DEFAULT_PERIOD_NANOS),
                    nanosOr("--min-period", minPeriod, PolicySettings.LEAST_PERIOD_NANOS),
                    nanosOr("--max-period", maxPeriod, Duration.ofDays(1).toNanos()),
                    nanosOr("--target-delay", targetDelay, PolicySettings.DEFAULT_TARGET_DELAY_NANOS),
                    isSaid("--target-overhead") ? targetOverhead : 0);
            if (isSaid("--block")) {
                BlockSize.of(blockBytes);
            }
            if (isSaid("--codec")) {
                PageCodec.of(codec);
            }
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private long nanosOr(final String option, final Duration value, final long otherwise) {
        return isSaid(option) ? value.toNanos() : otherwise;
    }

    private void putMode(final ObjectNode request) {
        if (isSaid("--mode")) {
            request.put("mode", mode.name());
        }
        if (isSaid("--identify")) {
            request.put("identify", identify.text());
        }
        if (isSaid("--block")) {
            request.put("blockBytes", blockBytes);
        }
        if (isSaid("--codec")) {
            request.put("codec", codec);
        }
        if (isSaid("--sharing")) {
            request.put("sharing", sharing == ModeOptions.Sharing.ON);
        }
    }

    /** Not by the configuration file, whose settings are those to start with. */
    private boolean isSaid(final String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    private void putNanos(final ObjectNode request, final String option, final String key, final Duration value) {
        if (isSaid(option)) {
            request.put(key, value.toNanos());
        }
    }
}
