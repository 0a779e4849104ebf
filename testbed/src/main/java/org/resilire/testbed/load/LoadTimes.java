package org.resilire.testbed.load;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.HdrHistogram.Histogram;

/** Latencies before the failover and the gap that it made, from the records of the Redis connections. */
final class LoadTimes {

    private static final int SIGNIFICANT_DIGITS = 3;

    private final FailoverTimes failover;
    private final List<Double> downtimesMillis = new ArrayList<>();
    private final Histogram protectedNs = newHistogram();
    private final Histogram unprotectedNs = newHistogram();

    LoadTimes(final FailoverTimes failover) {
        this.failover = failover;
    }

    private static Histogram newHistogram() {
        return new Histogram(TimeUnit.MINUTES.toNanos(5), SIGNIFICANT_DIGITS);
    }

    /** The operations of one connection, oldest first. */
    void add(final List<Operation> operations) {
        if (failover == null) {
            record(operations, unprotectedNs, operation -> true);
            return;
        }
        record(operations, unprotectedNs, operation -> operation.acknowledgedNs() < failover.protectedNs());
        record(
                operations,
                protectedNs,
                operation -> operation.sentNs() >= failover.protectedNs()
                        && operation.acknowledgedNs() < failover.killedNs());
        operations.stream()
                .mapToLong(Operation::acknowledgedNs)
                .filter(acknowledgedNs -> acknowledgedNs > failover.stoodByNs())
                .findFirst()
                .ifPresent(acknowledgedNs -> downtimesMillis.add((acknowledgedNs - failover.killedNs()) / 1e6));
        downtimesMillis.sort(null);
    }

    private static void record(
            final List<Operation> operations, final Histogram into, final Predicate<Operation> condition) {
        for (final Operation operation : operations) {
            if (condition.test(operation)) {
                into.recordValue(operation.acknowledgedNs() - operation.sentNs());
            }
        }
    }

    Double downtimeMillisFirst() {
        return downtimesMillis.isEmpty() ? null : downtimesMillis.getFirst();
    }

    /** Of an even number, the longer of the two in the middle. */
    Double downtimeMillisMedian() {
        return downtimesMillis.isEmpty() ? null : downtimesMillis.get(downtimesMillis.size() / 2);
    }

    Double downtimeMillisWorst() {
        return downtimesMillis.isEmpty() ? null : downtimesMillis.getLast();
    }

    Double latencyMillis(final double percentile) {
        return millis(protectedNs, percentile);
    }

    Double unprotectedLatencyMillis(final double percentile) {
        return millis(unprotectedNs, percentile);
    }

    private static Double millis(final Histogram histogram, final double percentile) {
        return histogram.getTotalCount() == 0 ? null : Double.valueOf(histogram.getValueAtPercentile(percentile) / 1e6);
    }
}
