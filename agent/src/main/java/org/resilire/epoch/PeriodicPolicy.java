package org.resilire.epoch;

/** A checkpoint every so often, as Remus does (NSDI 2008). A late one is not made up for. */
public final class PeriodicPolicy implements EpochPolicy {

    private final long periodNanos;

    public PeriodicPolicy(final long periodNanos) {
        if (periodNanos <= 0) {
            throw new IllegalArgumentException("the period must be positive, but is " + periodNanos + " ns");
        }
        this.periodNanos = periodNanos;
    }

    @Override
    public long nextStartNanos(final long lastStartNanos, final boolean outputWaits) {
        return lastStartNanos + periodNanos;
    }

    @Override
    public long periodNanos() {
        return periodNanos;
    }

    @Override
    public String description() {
        return "every " + periodNanos / 1_000_000.0 + " ms";
    }
}
