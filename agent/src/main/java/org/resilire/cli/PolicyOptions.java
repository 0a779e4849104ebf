package org.resilire.cli;

import java.time.Duration;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.PolicySettings.Kind;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** When checkpoints are made. Options left out are filled in, then checked against each other. */
final class PolicyOptions {

    /** Where no output waits for checkpoints, they cost more than they bring. */
    private static final long LLM_PERIOD_NANOS = 200_000_000;

    @Option(
            names = "--policy",
            paramLabel = "WHEN",
            defaultValue = "periodic",
            description =
                    "When checkpoints are made. periodic: every --period. output: as soon as the guest sends something, and"
                            + " every --max-period without. adaptive: as often as it takes to hold --target-delay, or as seldom as"
                            + " --target-overhead wants. Default: ${DEFAULT-VALUE}.")
    Kind policy;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            description =
                    "From checkpoint to checkpoint, 1ms or more; --policy adaptive begins with it. Default: 20ms, with"
                            + " --mode llm 200ms.")
    Duration period;

    @Option(
            names = "--min-period",
            paramLabel = "TIME",
            description = "Least time from checkpoint to checkpoint with --policy output and adaptive. Default: 1ms.")
    Duration minPeriod;

    @Option(
            names = "--max-period",
            paramLabel = "TIME",
            description =
                    "Greatest time from checkpoint to checkpoint with --policy output and adaptive. Default: 200ms.")
    Duration maxPeriod;

    @Option(
            names = "--target-delay",
            paramLabel = "TIME",
            description =
                    "With --policy adaptive: what the guest sends is to wait so long on average; the longest period that"
                            + " holds it is chosen. Default: 10ms, unless --target-overhead is given.")
    Duration targetDelay;

    @Option(
            names = "--target-overhead",
            paramLabel = "PERCENT",
            converter = PercentConverter.class,
            description =
                    "With --policy adaptive: the guest is to stand still for no more of the time than that, 0.1% to 90%; the"
                            + " shortest period that holds it is chosen. With --target-delay it is only watched.")
    Double targetOverhead;

    /**
     * All of it as one, or a refusal in one line.
     *
     * @param replaysInput whether output does not wait for checkpoints
     */
    PolicySettings settings(final CommandSpec spec, final boolean replaysInput) {
        try {
            return settings(replaysInput);
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private PolicySettings settings(final boolean replaysInput) {
        if (replaysInput && (policy == Kind.OUTPUT || (policy == Kind.ADAPTIVE && targetOverhead == null))) {
            throw new IllegalArgumentException(
                    "with --mode llm output does not wait for checkpoints: use --policy periodic,"
                            + " or adaptive with --target-overhead");
        }
        if (policy != Kind.ADAPTIVE && (targetDelay != null || targetOverhead != null)) {
            throw new IllegalArgumentException((targetDelay != null ? "--target-delay" : "--target-overhead")
                    + " is for --policy adaptive: add that, or leave it out");
        }
        if (policy == Kind.PERIODIC && (minPeriod != null || maxPeriod != null)) {
            throw new IllegalArgumentException((minPeriod != null ? "--min-period" : "--max-period")
                    + " is for --policy output and adaptive: add one, or leave it out");
        }
        if (targetDelay != null && targetDelay.isZero()) {
            throw new IllegalArgumentException("--target-delay must be more than 0");
        }
        if (targetOverhead != null && targetOverhead == 0) {
            throw new IllegalArgumentException("--target-overhead must be 0.1% to 90%");
        }
        return new PolicySettings(
                policy,
                periodNanos(replaysInput),
                minPeriod == null ? PolicySettings.LEAST_PERIOD_NANOS : minPeriod.toNanos(),
                maxPeriod == null ? PolicySettings.DEFAULT_MAX_PERIOD_NANOS : maxPeriod.toNanos(),
                targetDelayNanos(),
                targetOverhead == null ? 0 : targetOverhead);
    }

    private long periodNanos(final boolean replaysInput) {
        if (period != null) {
            return period.toNanos();
        }
        return replaysInput ? LLM_PERIOD_NANOS : PolicySettings.DEFAULT_PERIOD_NANOS;
    }

    private long targetDelayNanos() {
        if (targetDelay != null) {
            return targetDelay.toNanos();
        }
        return policy == Kind.ADAPTIVE && targetOverhead == null ? PolicySettings.DEFAULT_TARGET_DELAY_NANOS : 0;
    }
}
