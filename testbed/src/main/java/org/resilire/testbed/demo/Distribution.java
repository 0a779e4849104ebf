package org.resilire.testbed.demo;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * How a figure is spread over many runs; by the nearest rank, so that each of these was really measured.
 *
 * @param samples runs that have the figure
 */
record Distribution(int samples, Double p50, Double p90, Double p99, Double max) {

    static <R> Distribution of(final List<R> runs, final Function<R, Double> figure) {
        final List<Double> sorted =
                runs.stream().map(figure).filter(Objects::nonNull).sorted().toList();
        return sorted.isEmpty()
                ? new Distribution(0, null, null, null, null)
                : new Distribution(
                        sorted.size(), rank(sorted, 50), rank(sorted, 90), rank(sorted, 99), sorted.getLast());
    }

    private static Double rank(final List<Double> sorted, final int percent) {
        return sorted.get((percent * sorted.size() + 99) / 100 - 1);
    }
}
