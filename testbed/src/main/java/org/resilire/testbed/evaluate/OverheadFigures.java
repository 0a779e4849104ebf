package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Map;

/** What the experiment overhead found, with what follows from it. Immutable. */
final class OverheadFigures {

    private final Map<Point, List<Sample>> samples;

    OverheadFigures(final Results results) {
        samples = results.of(OverheadExperiment.NAME);
    }

    /** Points that were measured, without those that are only there to compare with. */
    List<Point> points() {
        return samples.keySet().stream()
                .filter(point -> !point.coordinate("mode").equals(ModesExperiment.UNPROTECTED))
                .toList();
    }

    Spread spread(final Point point, final String figure) {
        return Spread.of(samples.getOrDefault(point, List.of()), figure);
    }

    /** Work done just before, without protection. */
    Spread before(final Point point) {
        return spread(OverheadExperiment.baseline(point), "unitsPerSecond");
    }

    /** How much longer the same work takes. */
    Spread overhead(final Point point) {
        final double before = before(point).mean();
        return Spread.of(samples.getOrDefault(point, List.of()).stream()
                .mapToDouble(sample -> before / sample.figure("unitsPerSecond") - 1)
                .toArray());
    }

    /** Which part of it is that of stop and cont alone at the same rate; NaN if it is not known, or there is no overhead. */
    double stopContShare(final Point point) {
        final double overhead = overhead(point).mean();
        final double alone = overhead(OverheadExperiment.point(
                        Integer.parseInt(point.coordinate("epochsPerSecond")), OverheadExperiment.STOP_CONT))
                .mean();
        return overhead > 0 ? alone / overhead : Double.NaN;
    }
}
