package org.resilire.testbed.evaluate;

import java.util.Arrays;
import java.util.Collection;

/**
 * A figure over the samples of a point.
 *
 * @param count how many there are
 * @param deviation standard deviation of a sample; 0 for one sample
 */
record Spread(int count, double mean, double median, double deviation, double min, double max) {

    private static final Spread NONE = new Spread(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    /** Samples without this figure do not count. */
    static Spread of(final Collection<Sample> samples, final String figure) {
        return of(samples.stream().mapToDouble(sample -> sample.figure(figure)).toArray());
    }

    static Spread of(final double... all) {
        final double[] values = Arrays.stream(all)
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        if (values.length == 0) {
            return NONE;
        }
        final double mean = Arrays.stream(values).average().orElseThrow();
        final double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        final int middle = values.length / 2;
        return new Spread(
                values.length,
                mean,
                values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2,
                values.length == 1 ? 0 : Math.sqrt(squares / (values.length - 1)),
                values[0],
                values[values.length - 1]);
    }

    boolean isEmpty() {
        return count == 0;
    }
}
