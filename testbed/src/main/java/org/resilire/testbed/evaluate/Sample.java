package org.resilire.testbed.evaluate;

import java.time.Instant;
import java.util.Map;

/**
 * One measurement of a point; its components are the keys of its JSON.
 *
 * @param number from 1
 * @param takenAt when it was over
 * @param figures by name, with the unit in the name
 */
record Sample(Point point, int number, Instant takenAt, Map<String, Double> figures) {

    /** NaN if it has no such figure. */
    double figure(final String name) {
        final Double value = figures.get(name);
        return value == null ? Double.NaN : value;
    }
}
