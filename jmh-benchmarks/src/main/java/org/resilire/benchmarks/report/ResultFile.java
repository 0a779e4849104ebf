package org.resilire.benchmarks.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what JMH wrote as JSON. */
final class ResultFile {

    private static final String ALLOCATION = "gc.alloc.rate.norm";
    private static final Map<String, Double> NANOS = Map.of("ns/op", 1.0, "us/op", 1e3, "ms/op", 1e6, "s/op", 1e9);

    private ResultFile() {}

    /**
     * Reads all measurements.
     *
     * @throws IllegalArgumentException if the file is not one that JMH wrote with times
     */
    static List<Measurement> read(final Path file) {
        try {
            final List<Measurement> measurements = new ArrayList<>();
            for (final JsonNode node : JsonMapper.shared().readTree(file)) {
                measurements.add(measurement(node));
            }
            return measurements;
        } catch (final JacksonException e) {
            throw new IllegalArgumentException(file + " is not a result of JMH: " + e.getOriginalMessage(), e);
        }
    }

    private static Measurement measurement(final JsonNode node) {
        final String benchmark = node.path("benchmark").asString("");
        final int dot = benchmark.lastIndexOf('.');
        final JsonNode primary = node.path("primaryMetric");
        final Double scale = NANOS.get(primary.path("scoreUnit").asString(""));
        if (dot < 0 || scale == null) {
            throw new IllegalArgumentException("'" + benchmark + "' has no time of an operation");
        }
        final Map<String, String> parameters = new TreeMap<>();
        node.path("params")
                .properties()
                .forEach(p -> parameters.put(p.getKey(), p.getValue().asString("")));
        final Map<String, Double> counters = new TreeMap<>();
        OptionalDouble allocated = OptionalDouble.empty();
        for (final Map.Entry<String, JsonNode> metric :
                node.path("secondaryMetrics").properties()) {
            final OptionalDouble value = number(metric.getValue().path("score"));
            if (metric.getKey().endsWith(ALLOCATION)) {
                allocated = value;
            } else if (!metric.getKey().contains("gc.") && value.isPresent()) {
                counters.put(metric.getKey(), value.getAsDouble());
            }
        }
        final OptionalDouble error = number(primary.path("scoreError"));
        return new Measurement(
                benchmark.substring(0, dot),
                benchmark.substring(dot + 1),
                parameters,
                primary.path("score").asDouble() * scale,
                error.isPresent() ? OptionalDouble.of(error.getAsDouble() * scale) : error,
                allocated,
                counters);
    }

    /** JMH writes "NaN", a text, where there is nothing to tell. */
    private static OptionalDouble number(final JsonNode node) {
        return node.isNumber() ? OptionalDouble.of(node.asDouble()) : OptionalDouble.empty();
    }
}
