package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.resilire.epoch.PolicySettings.Kind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "set",
        header = "Change how a guest is protected, while it is.",
        description = {
            "",
            "Run it on the primary's host. When checkpoints are made changes with the next epoch; what is not said stays as it is."
                    + " Only what is said here counts, not the configuration file; an agent that is started anew begins with its own"
                    + " options again.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire set --vm db --period 10ms",
            "  resilire set --vm db --policy output --max-period 100ms",
            "  resilire set --vm db --policy adaptive --target-overhead 10%%",
        })
final class SetCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Option(
            names = "--policy",
            paramLabel = "WHEN",
            description = "periodic, output or adaptive; see 'resilire protect --help'.")
    Kind policy;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "From checkpoint to checkpoint, 1ms or more.")
    Duration period;

    @Option(
            names = "--min-period",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Least time between two, of --policy output and adaptive.")
    Duration minPeriod;

    @Option(
            names = "--max-period",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Greatest time between two, of --policy output and adaptive.")
    Duration maxPeriod;

    @Option(
            names = "--target-delay",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "For --policy adaptive. A target that is given replaces both.")
    Duration targetDelay;

    @Option(
            names = "--target-overhead",
            paramLabel = "PERCENT",
            converter = PercentConverter.class,
            description = "For --policy adaptive. A target that is given replaces both.")
    Double targetOverhead;

    @Override
    public Integer call() throws IOException {
        final ObjectNode request = PrimaryControl.request("set");
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
        if (request.size() == nothing) {
            throw new ParameterException(spec.commandLine(), "there is nothing to set: say what, for example --period");
        }
        new PrimaryControl(common, spec).send(request);
        return ExitCode.OK;
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
