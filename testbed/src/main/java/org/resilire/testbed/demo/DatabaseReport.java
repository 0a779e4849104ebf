package org.resilire.testbed.demo;

import java.util.List;
import java.util.Locale;

/** What failovers of a database showed, for people. */
final class DatabaseReport {

    private final Narrator narrator;

    DatabaseReport(final Narrator narrator) {
        this.narrator = narrator;
    }

    void table(final DatabaseResult run) {
        narrator.say("");
        row("epochs", shown(run.epochs()), "of " + run.periodMillis() + " ms");
        row(
                "pause",
                "p50 " + Figures.millis(run.pauseMillisP50()),
                "commit p50 " + Figures.millis(run.commitMillisP50()));
        row(
                "transaction",
                "p50 " + Figures.millis(run.latencyMillisP50()),
                "p99 " + Figures.millis(run.latencyMillisP99()) + "; unprotected p50 "
                        + Figures.millis(run.latencyMillisUnprotectedP50()));
        row(
                "pgbench",
                perSecond(run.pgbenchProtected()),
                "unprotected " + perSecond(run.pgbenchUnprotected()) + "; after the failover "
                        + perSecond(run.pgbenchAfter()));
        row("detect", Figures.millis(run.detectMillis()), "from the last sign of life");
        row("resume", Figures.millis(run.resumeMillis()), "from the decision to the running guest");
        row(
                "service downtime",
                Figures.millis(run.serviceDowntimeMillis()),
                "median connection; worst " + Figures.millis(run.serviceDowntimeMillisWorst()) + "; "
                        + Figures.millis(run.diskCopyMillis()) + " of it for the copy of the disk");
        row(
                "COMMITs answered",
                shown(run.acknowledgedTransactions()),
                shown(run.acknowledgedBeforeDeath()) + " of them before the death of host A");
        row("lost", shown(run.lostTransactions()), "on the disk taken at the failover: " + shown(run.lostOnDisk()));
        row("rewinds", shown(run.rewinds()), "");
        row("connections", shown(run.connectionsSurvived()), "survived, of " + shown(run.connections()));
        row("file system", run.fileSystem(), "e2fsck -fn");
        row("tables, indexes", run.amcheck(), "pg_amcheck --heapallindexed --parent-check");
        row("checksums", run.checksums(), "pg_checksums --check");
        narrator.say("");
        if (run.brokenPromises().isEmpty()) {
            narrator.say("The database outlived its host. Every transaction whose COMMIT was answered is there.");
        } else {
            narrator.say("BROKEN PROMISES:");
            complain(run);
        }
    }

    private void row(final String what, final String figure, final String remark) {
        narrator.say("  %-18s %-16s %s", what, figure == null ? "–" : figure, remark);
    }

    private void complain(final DatabaseResult run) {
        run.brokenPromises().forEach(promise -> narrator.say("    - %s", promise));
    }

    private static String shown(final Object figure) {
        return figure == null ? "–" : figure.toString();
    }

    private static String perSecond(final Double figure) {
        return figure == null ? "–" : String.format(Locale.ROOT, "%.0f/s", figure);
    }

    void line(final int number, final int repeats, final DatabaseResult run) {
        narrator.say(
                "run %d/%d  %s  detect %s  resume %s  downtime %s  %s COMMITs, %s lost, %s lost on disk  %s/%s connections"
                        + "  pgbench %s (unprotected %s)  seed %d",
                number,
                repeats,
                run.brokenPromises().isEmpty() ? "ok    " : "BROKEN",
                Figures.millis(run.detectMillis()),
                Figures.millis(run.resumeMillis()),
                Figures.millis(run.serviceDowntimeMillis()),
                shown(run.acknowledgedTransactions()),
                shown(run.lostTransactions()),
                shown(run.lostOnDisk()),
                shown(run.connectionsSurvived()),
                shown(run.connections()),
                perSecond(run.pgbenchProtected()),
                perSecond(run.pgbenchUnprotected()),
                run.seed());
        complain(run);
    }

    void series(final DatabaseSeries series) {
        narrator.say("");
        narrator.say(
                "%d of %d failovers kept every promise: %d COMMITs answered, %d lost, %d lost on the disk taken at the failover",
                series.succeeded(),
                series.repeats(),
                series.acknowledgedTransactions(),
                series.lostTransactions(),
                series.lostOnDisk());
        narrator.say("  %-28s %10s %10s %10s", "", "p50", "p90", "max");
        series.distributions()
                .forEach((figure, distribution) -> narrator.say(
                        "  %-28s %10s %10s %10s",
                        figure, number(distribution.p50()), number(distribution.p90()), number(distribution.max())));
    }

    private static String number(final Double value) {
        return value == null ? "–" : String.format(Locale.ROOT, "%.2f", value);
    }

    /** The same object for one failover and for many. */
    static Object jsonOf(final List<DatabaseResult> runs) {
        return runs.size() == 1 ? runs.getFirst() : DatabaseSeries.of(runs);
    }
}
