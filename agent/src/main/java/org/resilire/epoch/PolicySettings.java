package org.resilire.epoch;

/**
 * When checkpoints are made, as an operator says it.
 *
 * @param kind which policy
 * @param periodNanos from checkpoint to checkpoint with {@link Kind#PERIODIC}; with {@link Kind#ADAPTIVE} what it begins with
 * @param minPeriodNanos least time between two, of the other policies
 * @param maxPeriodNanos greatest time between two, of the other policies
 * @param targetDelayNanos mean delay of output to hold; 0 for none
 * @param targetOverhead share of time paused to hold, 0 to 1; 0 for none
 */
public record PolicySettings(
        Kind kind,
        long periodNanos,
        long minPeriodNanos,
        long maxPeriodNanos,
        long targetDelayNanos,
        double targetOverhead) {

    /** The policies there are. */
    public enum Kind {
        /** A checkpoint every so often. */
        PERIODIC,
        /** One as soon as the guest sends something. */
        OUTPUT,
        /** As often as it takes to hold a target. */
        ADAPTIVE
    }

    public static final long LEAST_PERIOD_NANOS = 1_000_000;
    public static final long DEFAULT_PERIOD_NANOS = 20_000_000;
    public static final long DEFAULT_MAX_PERIOD_NANOS = 200_000_000;
    public static final long DEFAULT_TARGET_DELAY_NANOS = 10_000_000;

    private static final long MOST_PERIOD_NANOS = 86_400_000_000_000L;
    private static final double LEAST_OVERHEAD = 0.001;
    private static final double MOST_OVERHEAD = 0.9;

    /**
     * Refuses what cannot be.
     *
     * @throws IllegalArgumentException in one line that says what could be instead
     */
    public PolicySettings {
        requirePeriod("--period", periodNanos);
        requirePeriod("--min-period", minPeriodNanos);
        requirePeriod("--max-period", maxPeriodNanos);
        if (minPeriodNanos > maxPeriodNanos) {
            throw new IllegalArgumentException("--min-period must not be longer than --max-period");
        }
        if (targetDelayNanos < 0 || targetDelayNanos > MOST_PERIOD_NANOS) {
            throw new IllegalArgumentException("--target-delay must be more than 0 and at most a day");
        }
        if (targetOverhead != 0 && !(targetOverhead >= LEAST_OVERHEAD && targetOverhead <= MOST_OVERHEAD)) {
            throw new IllegalArgumentException("--target-overhead must be 0.1% to 90%");
        }
        if (kind == Kind.ADAPTIVE && targetDelayNanos == 0 && targetOverhead == 0) {
            throw new IllegalArgumentException("--policy adaptive needs --target-delay or --target-overhead");
        }
    }

    private static void requirePeriod(final String option, final long nanos) {
        if (nanos < LEAST_PERIOD_NANOS || nanos > MOST_PERIOD_NANOS) {
            throw new IllegalArgumentException(option + " must be at least 1ms and at most a day");
        }
    }

    /** A checkpoint every so often. */
    public static PolicySettings periodic(final long periodNanos) {
        return new PolicySettings(Kind.PERIODIC, periodNanos, LEAST_PERIOD_NANOS, DEFAULT_MAX_PERIOD_NANOS, 0, 0);
    }

    /** A policy that has measured nothing yet. */
    public EpochPolicy newPolicy() {
        return switch (kind) {
            case PERIODIC -> new PeriodicPolicy(periodNanos);
            case OUTPUT -> new OutputPolicy(minPeriodNanos, maxPeriodNanos);
            case ADAPTIVE ->
                new AdaptivePolicy(periodNanos, minPeriodNanos, maxPeriodNanos, targetDelayNanos, targetOverhead);
        };
    }
}
