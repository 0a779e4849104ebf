package org.resilire.testbed.demo;

import java.util.List;
import java.util.Locale;

/** What failovers of a guest showed. */
final class FailoverReport extends RunReport<FailoverResult, FailoverSeries> {

    FailoverReport(final Narrator narrator) {
        super(narrator, "The guest outlived its host. Every answer that a client got is still true.");
    }

    @Override
    void rows(final FailoverResult run) {
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
    }

    private static String ratio(final Double ratio) {
        return ratio == null ? "" : String.format(Locale.ROOT, ", ratio %.2f", ratio);
    }

    @Override
    String figures(final FailoverResult run) {
        return String.format(
                Locale.ROOT,
                "detect %s  resume %s  downtime %s (worst %s)  pause %s (floor %s)  %s operations, %s lost"
                        + "  %s/%s connections  seed %d",
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
    }

    @Override
    FailoverSeries seriesOf(final List<FailoverResult> runs) {
        return FailoverSeries.of(runs);
    }

    @Override
    String totals(final FailoverSeries series) {
        return String.format(
                Locale.ROOT,
                "%d operations acknowledged, %d lost, %d rewinds",
                series.acknowledgedOperations(),
                series.lostOperations(),
                series.rewinds());
    }
}
