package org.resilire.testbed.demo;

import java.util.List;
import java.util.Locale;

/**
 * Results for people. Subclasses know what a failover of their kind shows.
 *
 * @param <R> what one of them showed
 * @param <S> what many of them did
 */
abstract class RunReport<R extends RunResult, S extends RunSeries> {

    private static final String UNKNOWN = "–";

    private final Narrator narrator;
    private final String praise;

    /** @param praise what it means that every promise was kept */
    RunReport(final Narrator narrator, final String praise) {
        this.narrator = narrator;
        this.praise = praise;
    }

    /** Everything about one failover. */
    final void table(final R run) {
        narrator.say("");
        rows(run);
        narrator.say("");
        if (RunResult.isKept(run)) {
            narrator.say("%s", praise);
        } else {
            narrator.say("BROKEN PROMISES:");
            run.brokenPromises().forEach(promise -> narrator.say("  - %s", promise));
        }
    }

    /** Calls {@link #row} for each figure. */
    abstract void rows(R run);

    final void row(final String what, final String figure, final String remark) {
        narrator.say("  %-18s %-16s %s", what, figure, remark);
    }

    /** One line for one of many. */
    final void line(final int number, final int repeats, final R run) {
        narrator.say("run %d/%d  %s  %s", number, repeats, RunResult.isKept(run) ? "ok    " : "BROKEN", figures(run));
        run.brokenPromises().forEach(promise -> narrator.say("    - %s", promise));
    }

    /** What matters most of one of many. */
    abstract String figures(R run);

    /** How many kept every promise, and how the figures are spread. */
    final void series(final List<R> runs) {
        final S series = seriesOf(runs);
        narrator.say("");
        narrator.say("%d of %d failovers kept every promise: %s", series.succeeded(), series.repeats(), totals(series));
        narrator.say("  %-28s %10s %10s %10s %10s", "", "p50", "p90", "p99", "max");
        series.distributions()
                .forEach((figure, distribution) -> narrator.say(
                        "  %-28s %10s %10s %10s %10s",
                        figure,
                        number(distribution.p50()),
                        number(distribution.p90()),
                        number(distribution.p99()),
                        number(distribution.max())));
    }

    abstract S seriesOf(List<R> runs);

    /** What was done, and lost, in all of them. */
    abstract String totals(S series);

    /** What is written down of one failover, or of many. */
    final Object written(final List<R> runs) {
        return runs.size() == 1 ? runs.getFirst() : seriesOf(runs);
    }

    static String shown(final Object figure) {
        return figure == null ? UNKNOWN : figure.toString();
    }

    private static String number(final Double value) {
        return value == null ? UNKNOWN : String.format(Locale.ROOT, "%.2f", value);
    }
}
