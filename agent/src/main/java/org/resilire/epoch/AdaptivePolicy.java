package org.resilire.epoch;

import java.util.Locale;

/**
 * Chooses the period by what checkpoints take: with a target for the delay of what the guest sends, the longest period that holds it;
 * else, with a target for the share of time that the guest stands still, the shortest that holds that. With both, the delay comes
 * first, and the overhead is only watched.
 *
 * <h2>The controller</h2>
 *
 * With a pause <i>p</i> and a commit time <i>c</i>, both as {@link PaceEstimate} has smoothed them, what is sent at any instant waits
 * (<i>period</i> − <i>p</i>) / 2 + <i>c</i> on average, so a delay <i>d</i> wants
 * <pre>
 *   period = p + 2 (d − c)            and a share s of time paused wants            period = p / s
 * </pre>
 * within the bounds. Both grow or fall with what a guest writes in a period, so each checkpoint moves the period a sixteenth of the way
 * only, and not at all for less than a twentieth of it: slower than the smoothing, so that the two do not chase each other. (With
 * <i>c</i> growing by <i>g</i> for each unit of the period, the pair is damped to under 3 % of overshoot for <i>g</i> ≤ ½; <i>g</i> above
 * that means a link that is too slow for the load.)
 *
 * <p>A target counts as missed when what was measured exceeds it by a tenth, until it is within a fiftieth again.
 */
public final class AdaptivePolicy implements EpochPolicy {

    /** There is no such target. */
    public static final long NONE = 0;

    private static final double STEP = 1.0 / 16;
    private static final double DEAD_BAND = 0.05;
    private static final double MISSED = 1.1;
    private static final double HELD = 1.02;

    /** Checkpoints of a session before anything is said about targets: the first are not like the others. */
    private static final int UNJUDGED = 16;

    private final long minPeriodNanos;
    private final long maxPeriodNanos;
    private final long targetDelayNanos;
    private final double targetOverhead;
    private double periodNanos;
    private int missed;

    /**
     * Starts with some period.
     *
     * @param firstPeriodNanos before anything was measured
     * @param targetDelayNanos mean delay of output, or {@link #NONE}
     * @param targetOverhead share of time paused, 0 to 1, or {@link #NONE}
     */
    public AdaptivePolicy(
            final long firstPeriodNanos,
            final long minPeriodNanos,
            final long maxPeriodNanos,
            final long targetDelayNanos,
            final double targetOverhead) {
        if (minPeriodNanos <= 0 || maxPeriodNanos < minPeriodNanos) {
            throw new IllegalArgumentException(
                    "a period of " + minPeriodNanos + " to " + maxPeriodNanos + " ns cannot be");
        }
        if (targetDelayNanos <= 0 && targetOverhead <= 0) {
            throw new IllegalArgumentException("there is no target to adapt to");
        }
        this.minPeriodNanos = minPeriodNanos;
        this.maxPeriodNanos = maxPeriodNanos;
        this.targetDelayNanos = targetDelayNanos;
        this.targetOverhead = targetOverhead;
        this.periodNanos = Math.clamp(firstPeriodNanos, minPeriodNanos, maxPeriodNanos);
    }

    @Override
    public long nextStartNanos(final long lastStartNanos, final boolean outputWaits) {
        return lastStartNanos + periodNanos();
    }

    @Override
    public void adjust(final PaceEstimate estimate) {
        if (estimate.commitNanos() == PaceEstimate.UNKNOWN) {
            return;
        }
        final double wanted = targetDelayNanos > 0
                ? estimate.pauseNanos() + 2.0 * (targetDelayNanos - estimate.commitNanos())
                : estimate.pauseNanos() / targetOverhead;
        final double missing = Math.clamp(wanted, (double) minPeriodNanos, (double) maxPeriodNanos) - periodNanos;
        if (Math.abs(missing) > DEAD_BAND * periodNanos) {
            periodNanos += STEP * missing;
        }
        if (estimate.checkpoints() > UNJUDGED) {
            judge(MISSES_DELAY, (double) targetDelayNanos, (double) estimate.outputDelayNanos());
            judge(MISSES_OVERHEAD, targetOverhead, estimate.pausedShare());
        }
    }

    private void judge(final int target, final double aim, final double measured) {
        if (aim > 0 && measured > MISSED * aim) {
            missed |= target;
        } else if (measured <= HELD * aim) {
            missed &= ~target;
        }
    }

    @Override
    public long periodNanos() {
        return (long) periodNanos;
    }

    @Override
    public int missedTargets() {
        return missed;
    }

    @Override
    public String description() {
        final StringBuilder text = new StringBuilder("adapted to hold");
        if (targetDelayNanos > 0) {
            text.append(" a mean delay of ")
                    .append(targetDelayNanos / 1_000_000.0)
                    .append(" ms");
        }
        if (targetOverhead > 0) {
            text.append(targetDelayNanos > 0 ? " first, then" : "")
                    .append(String.format(Locale.ROOT, " %.1f %% of the time paused", 100 * targetOverhead));
        }
        return text.append(", every ")
                .append(minPeriodNanos / 1_000_000.0)
                .append(" to ")
                .append(maxPeriodNanos / 1_000_000.0)
                .append(" ms")
                .toString();
    }
}
