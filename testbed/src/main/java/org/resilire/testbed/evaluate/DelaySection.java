package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The report's part about the delay that clients see. */
final class DelaySection {

    private DelaySection() {}

    static void write(final Html html, final Results results) {
        final Map<Point, List<Sample>> all = results.of(DelayExperiment.NAME);
        if (all.isEmpty()) {
            return;
        }
        html.heading(2, "The delay that a client sees");
        html.note(
                "One client, requests at random instants that each take the guest 1 ms. Aim: with --policy output the p50 is"
                        + " at most 3 × the checkpoint's own pause and commit.");
        final List<String> names = new ArrayList<>();
        final List<Plot.Line> lines = List.of(new Plot.Line("p50"), new Plot.Line("mean"), new Plot.Line("p99"));
        final List<List<String>> rows = new ArrayList<>();
        all.forEach((point, samples) -> {
            final Spread p50 = Spread.of(samples, "latencyMillisP50");
            final Spread mean = Spread.of(samples, "latencyMillisMean");
            final Spread p99 = Spread.of(samples, "latencyMillisP99");
            names.add(point.coordinate("policy"));
            lines.get(0).ys().add(p50);
            lines.get(1).ys().add(mean);
            lines.get(2).ys().add(p99);
            final double commit = Spread.of(samples, "commitMillisP50").mean();
            rows.add(List.of(
                    title(point.coordinate("policy")),
                    Html.shown(p50),
                    Html.shown(mean),
                    Html.shown(p99),
                    Html.shown(Spread.of(samples, "pauseMillisP50")),
                    Html.shown(Spread.of(samples, "commitMillisP50")),
                    Html.shown(p50.mean() / commit),
                    Html.shown(Spread.of(samples, "epochsPerSecond")),
                    Html.shown(Spread.of(samples, "operationsPerSecond"))));
        });
        html.plot(Plot.bars("Delay of a request with 1 ms of work", "ms", names, lines));
        html.table(
                List.of(
                        "checkpoints",
                        "delay p50 ms",
                        "delay mean ms",
                        "delay p99 ms",
                        "pause p50 ms",
                        "commit p50 ms",
                        "delay p50 ÷ commit",
                        "epochs/s",
                        "requests/s"),
                rows);
        html.note(
                "Commit counts from the beginning of the pause: the pause is part of it. p99 is the mean over windows of 2 s.");
    }

    private static String title(final String policy) {
        return DelayExperiment.POLICIES.stream()
                .filter(known -> known.name().equals(policy))
                .map(DelayExperiment.Policy::title)
                .findFirst()
                .orElse(policy);
    }
}
