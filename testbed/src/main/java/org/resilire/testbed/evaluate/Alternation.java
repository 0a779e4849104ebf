package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntFunction;

/**
 * Windows with something and without it in turn, one without before each and one more after the last: the speed of a guest on a shared
 * machine drifts by more than is to be measured.
 */
final class Alternation {

    private Alternation() {}

    /**
     * Lets so many windows pass, and those between.
     *
     * @param without makes one of those between; the number, from 1, is that of the window that follows
     * @param with makes one of the windows, from 1
     */
    static List<Sample> windows(final int count, final IntFunction<Sample> without, final IntFunction<Sample> with) {
        final List<Sample> samples = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            samples.add(without.apply(number));
            samples.add(with.apply(number));
        }
        samples.add(without.apply(count + 1));
        return samples;
    }

    /**
     * Compares each window with the mean of the two around it.
     *
     * @param comparison of the figure with and without
     */
    static Spread compare(
            final List<Sample> with,
            final List<Sample> without,
            final String figure,
            final DoubleBinaryOperator comparison) {
        final Map<Integer, Double> between = new HashMap<>();
        without.forEach(sample -> between.put(sample.number(), sample.figure(figure)));
        return Spread.of(with.stream()
                .mapToDouble(sample -> {
                    final double before = between.getOrDefault(sample.number(), Double.NaN);
                    final double after = between.getOrDefault(sample.number() + 1, Double.NaN);
                    return comparison.applyAsDouble(sample.figure(figure), (before + after) / 2);
                })
                .toArray());
    }
}
