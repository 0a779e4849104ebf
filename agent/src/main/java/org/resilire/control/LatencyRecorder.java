package org.resilire.control;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * The distribution of a measured value over the whole run since the agent started, to three significant digits. One thread
 * records, without waiting and without allocation; another publishes percentiles to counters, about once a second, and any
 * other may take samples, which are distributions from one call to the next. Values are in the unit of the counters that it publishes to: nanoseconds, or for example pages.
 */
public final class LatencyRecorder {

    /** 100 s, if values are nanoseconds. What is greater counts as this. */
    public static final long HIGHEST_VALUE = 100_000_000_000L;

    private static final int SIGNIFICANT_DIGITS = 3;

    private final SingleWriterRecorder recorder = new SingleWriterRecorder(1, HIGHEST_VALUE, SIGNIFICANT_DIGITS);
    private final Histogram all = new Histogram(1, HIGHEST_VALUE, SIGNIFICANT_DIGITS);
    private final Histogram sinceSample = new Histogram(1, HIGHEST_VALUE, SIGNIFICANT_DIGITS);
    private Histogram interval;

    /** By the recording thread. Less than 0, as a clock that went back would give, counts as 0. */
    public void record(final long value) {
        recorder.recordValue(Math.clamp(value, 0, HIGHEST_VALUE));
    }

    /**
     * By the publishing thread: takes in what was recorded since the last call and sets the counters; nothing while nothing
     * was recorded at all. A counter may be null.
     */
    public synchronized void publish(
            final AgentCounters counters, final AgentCounter p50, final AgentCounter p99, final AgentCounter max) {
        takeIn();
        if (all.getTotalCount() == 0) {
            return;
        }
        setPercentile(counters, p50, 50.0);
        setPercentile(counters, p99, 99.0);
        if (max != null) {
            counters.set(max, Math.min(all.getMaxValue(), HIGHEST_VALUE));
        }
    }

    /** By the publishing thread: how many values {@link #publish} has taken in. */
    public synchronized long count() {
        return all.getTotalCount();
    }

    /** By any thread but the recording one: what was recorded since the last call, or since the start; a copy. */
    public synchronized Histogram takeSample() {
        takeIn();
        final Histogram sample = sinceSample.copy();
        sinceSample.reset();
        return sample;
    }

    private void takeIn() {
        interval = recorder.getIntervalHistogram(interval);
        all.add(interval);
        sinceSample.add(interval);
    }

    private void setPercentile(final AgentCounters counters, final AgentCounter counter, final double percentile) {
        if (counter != null) {
            counters.set(counter, all.getValueAtPercentile(percentile));
        }
    }
}
