package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Map;

/** What the experiment overhead found, with what follows from it. Immutable. */
final class OverheadFigures {

    private static final String WORK = "unitsPerSecond";

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

    /** Work done without protection, between the windows. */
    Spread without(final Point point) {
        return spread(OverheadExperiment.baseline(point), WORK);
    }

    /** How much longer the same work takes, window by window, than in the mean of the unprotected ones before and after. */
    Spread overhead(final Point point) {
        return Alternation.compare(
                samples.getOrDefault(point, List.of()),
                samples.getOrDefault(OverheadExperiment.baseline(point), List.of()),
                WORK,
                (with, without) -> without / with - 1);
    }

    /** What the guest's standing still alone makes of it: paused time to running time. */
    Spread pauses(final Point point) {
        return Spread.of(samples.getOrDefault(point, List.of()).stream()
                .mapToDouble(sample -> {
                    final double paused = sample.figure("pauseMillisMean") / 1e3 * sample.figure("epochsPerSecond");
                    return paused / (1 - paused);
                })
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
