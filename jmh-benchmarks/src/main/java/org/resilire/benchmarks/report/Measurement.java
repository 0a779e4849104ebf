package org.resilire.benchmarks.report;

import java.util.Map;
import java.util.OptionalDouble;

/**
 * One line of a table.
 *
 * @param type full name of the benchmark's class
 * @param method its method
 * @param parameters names and values, in order of names
 * @param nanos time of one operation
 * @param errorNanos half the 99.9 % confidence interval, if JMH gives one
 * @param allocatedBytes garbage of one operation, of all threads, if it was measured
 * @param counters what the benchmark itself counted
 */
record Measurement(
        String type,
        String method,
        Map<String, String> parameters,
        double nanos,
        OptionalDouble errorNanos,
        OptionalDouble allocatedBytes,
        Map<String, Double> counters) {

    Measurement {
        parameters = Map.copyOf(parameters);
        counters = Map.copyOf(counters);
    }

    /** Whether this is that yardstick of the other; it may lack parameters that say nothing to it. */
    boolean isYardstick(final Measurement of, final String name) {
        return type.equals(of.type)
                && method.equals(name)
                && of.parameters.entrySet().containsAll(parameters.entrySet());
    }
}
