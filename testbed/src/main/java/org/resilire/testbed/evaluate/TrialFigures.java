package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Locale;

/**
 * One figure of the experiment trial.
 *
 * @param title for people, with the unit
 * @param without a test under way
 * @param with one
 * @param difference of each window to the two around it
 */
record TrialFigures(String title, Spread without, Spread with, Spread difference) {

    private record Figure(String title, String name) {}

    private static final List<Figure> FIGURES = List.of(
            new Figure("delay p50 ms", "latencyMillisP50"),
            new Figure("delay mean ms", "latencyMillisMean"),
            new Figure("delay p99 ms", "latencyMillisP99"),
            new Figure("operations/s", "operationsPerSecond"),
            new Figure("pause p50 ms", "pauseMillisP50"),
            new Figure("pause p99 ms", "pauseMillisP99"),
            new Figure("commit p50 ms", "commitMillisP50"),
            new Figure("epochs/s", "epochsPerSecond"));

    /** All of them, those of the clients first. */
    static List<TrialFigures> of(final List<Sample> samples) {
        final List<Sample> with = at(samples, TrialExperiment.point());
        final List<Sample> without = at(samples, TrialExperiment.baseline());
        return FIGURES.stream()
                .map(figure -> new TrialFigures(
                        figure.title(),
                        Spread.of(without, figure.name()),
                        Spread.of(with, figure.name()),
                        Alternation.compare(with, without, figure.name(), (one, other) -> one - other)))
                .toList();
    }

    private static List<Sample> at(final List<Sample> samples, final Point point) {
        return samples.stream().filter(sample -> sample.point().equals(point)).toList();
    }

    /** How sure the mean difference is: its standard error. */
    double error() {
        return difference.deviation() / Math.sqrt(difference.count());
    }

    /** What is within two standard errors of nothing. */
    String verdict() {
        if (difference.count() < 2) {
            return "–";
        }
        return Math.abs(difference.mean()) <= 2 * error() ? "within noise" : "beyond noise";
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%-14s without %s, with %s, difference %s (standard error %s): %s",
                title,
                Html.shown(without),
                Html.shown(with),
                Html.shown(difference),
                Html.shown(error()),
                verdict());
    }
}
