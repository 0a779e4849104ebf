package org.resilire.testbed.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.resilire.testbed.TestbedException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Results for people, and for programs. */
final class DemoReport {

    /** Keys in the order of the records. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private final Narrator narrator;

    DemoReport(final Narrator narrator) {
        this.narrator = narrator;
    }

    void table(final FailoverResult run) {
        narrator.say("");
        row("epochs", run.epochs() + " of " + run.periodMillis() + " ms", run.verifiedEpochs() + " verified whole");
        row(
                "pause",
                "p50 " + Figures.millis(run.pauseMillisP50()),
                "p99 " + Figures.millis(run.pauseMillisP99()) + "; floor " + Figures.millis(run.pauseFloorMillisP50())
                        + ratio(run.pauseFloorRatio()));
        row("commit", "p50 " + Figures.millis(run.commitMillisP50()), "p99 " + Figures.millis(run.commitMillisP99()));
        row("bytes per epoch", Figures.kib(run.bytesPerEpochMean()), "mean");
        row(
                "operation",
                "p50 " + Figures.millis(run.latencyMillisP50()),
                "p99 " + Figures.millis(run.latencyMillisP99()) + "; unprotected p50 "
                        + Figures.millis(run.latencyMillisUnprotectedP50()));
        row("detect", Figures.millis(run.detectMillis()), "from the last sign of life");
        row("resume", Figures.millis(run.resumeMillis()), "from the decision to the running guest");
        row(
                "service downtime",
                Figures.millis(run.serviceDowntimeMillis()),
                "median connection; first " + Figures.millis(run.serviceDowntimeMillisFirst()) + ", worst "
                        + Figures.millis(run.serviceDowntimeMillisWorst()));
        row("operations", shown(run.acknowledgedOperations()), "acknowledged");
        row("lost", shown(run.lostOperations()), "");
        row("rewinds", shown(run.rewinds()), "");
        row("connections", shown(run.connectionsSurvived()), "survived, of " + shown(run.connections()));
        if (run.protectionLosses() > 0) {
            row("protection lost", run.protectionLosses() + " times", "and regained; is the machine busy?");
        }
        narrator.say("");
        verdict(run);
    }

    private void row(final String what, final String figure, final String remark) {
        narrator.say("  %-18s %-16s %s", what, figure, remark);
    }

    private static String ratio(final Double ratio) {
        return ratio == null ? "" : String.format(Locale.ROOT, ", ratio %.2f", ratio);
    }

    private static String shown(final Object value) {
        return value == null ? "–" : value.toString();
    }

    private void verdict(final FailoverResult run) {
        if (run.brokenPromises().isEmpty()) {
            narrator.say("The guest outlived its host. Every answer that a client got is still true.");
        } else {
            narrator.say("BROKEN PROMISES:");
            run.brokenPromises().forEach(promise -> narrator.say("  - %s", promise));
        }
    }

    /** One line for one of many. */
    void line(final int number, final int repeats, final FailoverResult run) {
        narrator.say(
                "run %d/%d  %s  detect %s  resume %s  downtime %s (worst %s)  pause %s (floor %s)  %s operations, %s lost"
                        + "  %s/%s connections  seed %d",
                number,
                repeats,
                run.brokenPromises().isEmpty() ? "ok    " : "BROKEN",
                Figures.millis(run.detectMillis()),
                Figures.millis(run.resumeMillis()),
                Figures.millis(run.serviceDowntimeMillis()),
                Figures.millis(run.serviceDowntimeMillisWorst()),
                Figures.millis(run.pauseMillisP50()),
                Figures.millis(run.pauseFloorMillisP50()),
                shown(run.acknowledgedOperations()),
                shown(run.lostOperations()),
                shown(run.connectionsSurvived()),
                shown(run.connections()),
                run.seed());
        run.brokenPromises().forEach(promise -> narrator.say("    - %s", promise));
    }

    void series(final FailoverSeries series) {
        narrator.say("");
        narrator.say(
                "%d of %d failovers kept every promise: %d operations acknowledged, %d lost, %d rewinds",
                series.succeeded(),
                series.repeats(),
                series.acknowledgedOperations(),
                series.lostOperations(),
                series.rewinds());
        narrator.say("  %-28s %10s %10s %10s", "", "p50", "p90", "max");
        series.distributions()
                .forEach((figure, distribution) -> narrator.say(
                        "  %-28s %10s %10s %10s",
                        figure, number(distribution.p50()), number(distribution.p90()), number(distribution.max())));
    }

    private static String number(final Double value) {
        return value == null ? "–" : String.format(Locale.ROOT, "%.2f", value);
    }

    static void writeJson(final Path file, final Object result) {
        try {
            Files.writeString(file, JSON.writeValueAsString(result) + "\n");
        } catch (final IOException failure) {
            throw new TestbedException("cannot write " + file + ": " + failure.getMessage(), failure);
        }
    }

    /** Whether the result can be written, found out before it takes minutes to get it. */
    static void requireWritable(final Path file) {
        final Path directory = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(directory) || !Files.isWritable(directory) || Files.isDirectory(file)) {
            throw new TestbedException("cannot write " + file + ": give a file in a directory that exists");
        }
    }

    /** The same object for one failover and for many. */
    static Object jsonOf(final List<FailoverResult> runs) {
        return runs.size() == 1 ? runs.getFirst() : FailoverSeries.of(runs);
    }
}
