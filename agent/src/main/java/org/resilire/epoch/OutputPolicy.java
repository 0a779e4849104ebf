package org.resilire.epoch;

/**
 * A checkpoint as soon as the guest sends something, so that it waits for little more than that checkpoint; without output, one now
 * and then, so that little is left for the next. After Kemari, which synchronises when a guest is about to emit output; here
 * it has been emitted, and is held.
 */
public final class OutputPolicy implements EpochPolicy {

    private final long minPeriodNanos;
    private final long maxPeriodNanos;

    /**
     * Bounds the time from one checkpoint to the next.
     *
     * @param minPeriodNanos at least, however much output there is
     * @param maxPeriodNanos at most, even without any
     */
    public OutputPolicy(final long minPeriodNanos, final long maxPeriodNanos) {
        if (minPeriodNanos <= 0 || maxPeriodNanos < minPeriodNanos) {
            throw new IllegalArgumentException(
                    "a period of " + minPeriodNanos + " to " + maxPeriodNanos + " ns cannot be");
        }
        this.minPeriodNanos = minPeriodNanos;
        this.maxPeriodNanos = maxPeriodNanos;
    }

    @Override
    public long nextStartNanos(final long lastStartNanos, final boolean outputWaits) {
        return lastStartNanos + (outputWaits ? minPeriodNanos : maxPeriodNanos);
    }

    @Override
    public boolean heedsOutput() {
        return true;
    }

    @Override
    public long periodNanos() {
        return maxPeriodNanos;
    }

    /** Nothing waits for a checkpoint to begin, unless one has just been. */
    @Override
    public long outputDelayNanos(final PaceEstimate estimate) {
        return estimate.commitNanos();
    }

    @Override
    public String description() {
        return "when the guest sends something, every " + maxPeriodNanos / 1_000_000.0 + " ms without, "
                + minPeriodNanos / 1_000_000.0 + " ms apart at least";
    }
}
