package org.resilire.testbed.demo;

import java.util.ArrayList;
import java.util.List;
import org.resilire.testbed.lab.Lab;
import picocli.CommandLine;

/**
 * Shows as many failovers as were asked for, one after the other. One thread.
 *
 * @param <R> what one of them shows
 */
final class Repetition<R extends RunResult> {

    /** Makes one failover. */
    @FunctionalInterface
    interface Run<R> {

        R in(Lab lab, FailoverPlan plan);
    }

    private final FailoverOptions options;
    private final RunReport<R, ?> report;
    private final Run<R> run;

    Repetition(final FailoverOptions options, final RunReport<R, ?> report, final Run<R> run) {
        this.options = options;
        this.report = report;
        this.run = run;
    }

    /**
     * Makes and tells all of them.
     *
     * @param first the others differ from it by the seed
     * @return exit status
     */
    int makeAll(final FailoverPlan first) {
        final List<R> results = new ArrayList<>();
        for (int number = 1; number <= options.repeat(); number++) {
            // In a lab of its own, so that no run inherits anything.
            try (Lab lab = Lab.create(options.logsOf(number))) {
                results.add(run.in(lab, first.withSeed(first.seed() + number - 1)));
            }
            if (options.json() != null) {
                // After each: what was measured is not lost if a later run cannot be made.
                ResultFile.write(options.json(), report.written(results));
            }
            if (options.repeat() == 1) {
                report.table(results.getLast());
            } else {
                report.line(number, options.repeat(), results.getLast());
            }
        }
        if (options.repeat() > 1) {
            report.series(results);
        }
        return RunResult.succeeded(results) == results.size() ? CommandLine.ExitCode.OK : RunOptions.BROKEN_PROMISE;
    }
}
