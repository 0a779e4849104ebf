package org.resilire.failover;

/**
 * How the other side's failure is noticed.
 *
 * @param intervalNanos how often each side gives a sign of life
 * @param timeoutNanos silence after which the other side counts as failed
 */
public record DetectorConfig(long intervalNanos, long timeoutNanos) {

    private static final int SLEEPS_AN_INTERVAL = 4;

    public DetectorConfig {
        if (intervalNanos <= 0 || timeoutNanos / 2 < intervalNanos) {
            throw new IllegalArgumentException("--detect-timeout (" + timeoutNanos / 1e6
                    + " ms) must be at least twice --detect-interval (" + intervalNanos / 1e6 + " ms)");
        }
    }

    public FailureDetector newDetector() {
        return new FailureDetector(intervalNanos, timeoutNanos);
    }

    /** How long a thread may sleep that gives signs of life: so late they are at most. */
    public long longestSleepNanos() {
        return intervalNanos / SLEEPS_AN_INTERVAL;
    }
}
