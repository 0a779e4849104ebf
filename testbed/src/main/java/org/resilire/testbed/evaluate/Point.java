package org.resilire.testbed.evaluate;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What is measured several times in the same way. Immutable.
 *
 * @param experiment whose it is
 * @param coordinates what tells it from the experiment's other points, units in the names
 */
record Point(String experiment, Map<String, String> coordinates) {

    Point {
        coordinates = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(coordinates));
    }

    static Point of(final String experiment) {
        return new Point(experiment, Map.of());
    }

    Point with(final String coordinate, final Object value) {
        final Map<String, String> more = new LinkedHashMap<>(coordinates);
        more.put(coordinate, value.toString());
        return new Point(experiment, more);
    }

    /** Empty if it has no such coordinate. */
    String coordinate(final String name) {
        return coordinates.getOrDefault(name, "");
    }

    @Override
    public String toString() {
        return coordinates.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", ", experiment + ": ", ""));
    }
}
