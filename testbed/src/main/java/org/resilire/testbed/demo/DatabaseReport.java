package org.resilire.testbed.demo;

import java.util.List;
import java.util.Locale;

/** What failovers of a database showed. */
final class DatabaseReport extends RunReport<DatabaseResult, DatabaseSeries> {

    DatabaseReport(final Narrator narrator) {
        super(narrator, "The database outlived its host. Every transaction whose COMMIT was answered is there.");
    }

    @Override
    void rows(final DatabaseResult run) {
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
        row("file system", shown(run.fileSystem()), "e2fsck -fn");
        row("tables, indexes", shown(run.amcheck()), "pg_amcheck --heapallindexed --parent-check");
        row("checksums", shown(run.checksums()), "pg_checksums --check");
    }

    private static String perSecond(final Double figure) {
        return figure == null ? shown(null) : String.format(Locale.ROOT, "%.0f/s", figure);
    }

    @Override
    String figures(final DatabaseResult run) {
        return String.format(
                Locale.ROOT,
                "detect %s  resume %s  downtime %s  %s COMMITs, %s lost, %s lost on disk  %s/%s connections"
                        + "  pgbench %s (unprotected %s)  seed %d",
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
    }

    @Override
    DatabaseSeries seriesOf(final List<DatabaseResult> runs) {
        return DatabaseSeries.of(runs);
    }

    @Override
    String totals(final DatabaseSeries series) {
        return String.format(
                Locale.ROOT,
                "%d COMMITs answered, %d lost, %d lost on the disk taken at the failover",
                series.acknowledgedTransactions(),
                series.lostTransactions(),
                series.lostOnDisk());
    }
}
