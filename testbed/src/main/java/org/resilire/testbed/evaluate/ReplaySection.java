package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The report's part about input replay. */
final class ReplaySection {

    private final Html html;
    private final Map<Point, List<Sample>> all;

    private ReplaySection(final Html html, final Map<Point, List<Sample>> all) {
        this.html = html;
        this.all = all;
    }

    static void write(final Html html, final Results results) {
        final Map<Point, List<Sample>> all = results.of(ReplayExperiment.NAME);
        if (!all.isEmpty()) {
            new ReplaySection(html, all).write();
        }
    }

    /** The share by which LLM's mean delay is below Remus' under HighNet, by period: empty if it was not measured. */
    static List<String> reductions(final Results results) {
        final Map<Point, List<Sample>> all = results.of(ReplayExperiment.NAME);
        final List<String> reductions = new ArrayList<>();
        all.forEach((point, samples) -> {
            if (point.coordinate("what").equals(ReplayExperiment.DELAY)
                    && point.coordinate("load").equals(ReplayLoad.HIGH_NET.label())
                    && point.coordinate("mode").equals(ReplayMode.LLM.name())) {
                final List<Sample> remus = all.getOrDefault(point.with("mode", ReplayMode.REMUS.name()), List.of());
                final double reduction = 1
                        - Spread.of(samples, "latencyMillisMean").mean()
                                / Spread.of(remus, "latencyMillisMean").mean();
                reductions.add(Html.percent(reduction) + " at " + point.coordinate("periodMillis") + " ms");
            }
        });
        return reductions;
    }

    /** The shares by which FGBI's mean type I downtime is below LLM's and Remus', by load and period: empty if it was not measured. */
    static List<String> downtimeDifferences(final Results results) {
        final Map<Point, List<Sample>> all = results.of(ReplayExperiment.NAME);
        final List<String> differences = new ArrayList<>();
        all.forEach((point, samples) -> {
            if (point.coordinate("what").equals(ReplayExperiment.DOWNTIME)
                    && point.coordinate("mode").equals(ReplayMode.FGBI.name())) {
                final double fgbi = meanDowntime(samples);
                differences.add(point.coordinate("load") + " at " + point.coordinate("periodMillis") + " ms "
                        + Stream.of(ReplayMode.LLM, ReplayMode.REMUS)
                                .map(mode -> all.getOrDefault(point.with("mode", mode.name()), List.of()))
                                .map(other -> Html.percent(1 - fgbi / meanDowntime(other)))
                                .collect(Collectors.joining(" and ")));
            }
        });
        return differences;
    }

    private static double meanDowntime(final List<Sample> samples) {
        return Spread.of(samples, "serviceDowntimeMillis").mean();
    }

    private void write() {
        html.heading(2, "Input replay (LLM) beside Remus and FGBI");
        html.note(
                "All three checkpoint at the same period. Remus and FGBI let answers out when their checkpoint is safe, LLM when"
                        + " their input is. Loads after the papers': " + ReplayLoad.HIGH_NET.title() + "; "
                        + ReplayLoad.HIGH_SYS.title()
                        + ".");
        delays();
        course();
        downtimes();
    }

    private List<Sample> samples(
            final String what, final ReplayLoad load, final ReplayMode mode, final long periodMillis) {
        return all.getOrDefault(ReplayExperiment.point(what, load, mode, periodMillis), List.of());
    }

    private List<Long> periods(final String what, final ReplayLoad load) {
        return all.keySet().stream()
                .filter(point -> point.coordinate("what").equals(what)
                        && point.coordinate("load").equals(load.label()))
                .map(point -> Long.valueOf(point.coordinate("periodMillis")))
                .distinct()
                .sorted()
                .toList();
    }

    private List<Plot.Line> lines(final String what, final ReplayLoad load, final String figure) {
        final List<Plot.Line> lines = new ArrayList<>();
        for (final ReplayMode mode : ReplayMode.ALL) {
            final Plot.Line line = new Plot.Line(mode.title());
            periods(what, load)
                    .forEach(period -> line.add(period, Spread.of(samples(what, load, mode, period), figure)));
            lines.add(line);
        }
        return lines;
    }

    private void delays() {
        final List<List<String>> rows = new ArrayList<>();
        for (final ReplayLoad load : ReplayLoad.values()) {
            html.plot(Plot.lines(
                    "Mean delay, " + load.label(),
                    "checkpoint period, ms",
                    "ms",
                    true,
                    lines(ReplayExperiment.DELAY, load, "latencyMillisMean")));
            for (final long period : periods(ReplayExperiment.DELAY, load)) {
                final double remus = Spread.of(
                                samples(ReplayExperiment.DELAY, load, ReplayMode.REMUS, period), "latencyMillisMean")
                        .mean();
                for (final ReplayMode mode : ReplayMode.ALL) {
                    final List<Sample> samples = samples(ReplayExperiment.DELAY, load, mode, period);
                    if (!samples.isEmpty()) {
                        final Spread mean = Spread.of(samples, "latencyMillisMean");
                        rows.add(List.of(
                                load.label(),
                                Long.toString(period),
                                mode.title(),
                                Html.shown(mean),
                                Html.shown(Spread.of(samples, "latencyMillisP99")),
                                Html.percent(mean.mean() / remus - 1),
                                Html.shown(Spread.of(samples, "pauseMillisP50")),
                                Html.shown(Spread.of(samples, "operationsPerSecond"))));
                    }
                }
            }
        }
        html.table(
                List.of(
                        "load",
                        "period ms",
                        "mode",
                        "delay mean ms",
                        "delay p99 ms",
                        "against Remus",
                        "pause p50 ms",
                        "requests/s"),
                rows);
    }

    private void course() {
        final List<Plot.Line> lines = new ArrayList<>();
        for (final ReplayMode mode : ReplayMode.ALL) {
            final Plot.Line line = new Plot.Line(mode.title());
            all.forEach((point, samples) -> {
                if (point.coordinate("what").equals(ReplayExperiment.COURSE)
                        && point.coordinate("mode").equals(mode.name())) {
                    samples.forEach(
                            sample -> line.add(sample.figure("sentMillis"), Spread.of(sample.figure("latencyMillis"))));
                }
            });
            lines.add(line);
        }
        html.plot(Plot.lines(
                "Delay of each request over two periods of 500 ms, HighNet", "sent at, ms", "ms", false, lines));
    }

    private void downtimes() {
        final List<List<String>> rows = new ArrayList<>();
        for (final ReplayLoad load : ReplayLoad.values()) {
            html.plot(Plot.lines(
                    "Type I downtime, " + load.label(),
                    "checkpoint period, ms",
                    "ms",
                    false,
                    lines(ReplayExperiment.DOWNTIME, load, "serviceDowntimeMillis")));
            for (final long period : periods(ReplayExperiment.DOWNTIME, load)) {
                for (final ReplayMode mode : ReplayMode.ALL) {
                    final List<Sample> samples = samples(ReplayExperiment.DOWNTIME, load, mode, period);
                    if (!samples.isEmpty()) {
                        rows.add(downtimeRow(load, period, mode, samples));
                    }
                }
            }
        }
        html.table(
                List.of(
                        "load",
                        "period ms",
                        "mode",
                        "failovers",
                        "downtime ms",
                        "detect ms",
                        "resume ms",
                        "answers lost",
                        "duplicated",
                        "wrong",
                        "connections broken"),
                rows);
        html.note(
                "Downtime (type I) is from the kill to the first answer from the other host. Lost: requests on connections that"
                        + " broke. Duplicated: data that nobody waited for. Wrong: answers to another request. All over all failovers.");
    }

    private static List<String> downtimeRow(
            final ReplayLoad load, final long period, final ReplayMode mode, final List<Sample> samples) {
        return List.of(
                load.label(),
                Long.toString(period),
                mode.title(),
                Integer.toString(samples.size()),
                Html.shown(Spread.of(samples, "serviceDowntimeMillis")),
                Html.shown(Spread.of(samples, "detectMillis")),
                Html.shown(Spread.of(samples, "resumeMillis")),
                Html.shown(ReplayExperiment.sum(samples, "lostAnswers")),
                Html.shown(ReplayExperiment.sum(samples, "duplicatedAnswers")),
                Html.shown(ReplayExperiment.sum(samples, "wrongAnswers")),
                Html.shown(ReplayExperiment.sum(samples, "brokenConnections")));
    }
}
