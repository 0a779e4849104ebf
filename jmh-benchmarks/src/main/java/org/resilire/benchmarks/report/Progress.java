package org.resilire.benchmarks.report;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.format.OutputFormat;

/** One line a benchmark for people; all that JMH says goes to a log. */
final class Progress implements OutputFormat {

    private final OutputFormat log;
    private final PrintStream console;
    private final Set<String> failed = new TreeSet<>();
    private int started;
    private String current;

    Progress(final OutputFormat log, final PrintStream console) {
        this.log = log;
        this.console = console;
    }

    /** Benchmarks that began and did not end well. */
    Set<String> failed() {
        noteFailure();
        return failed;
    }

    private void noteFailure() {
        if (current != null) {
            failed.add(current);
            current = null;
        }
    }

    @Override
    public void startBenchmark(final BenchmarkParams params) {
        final StringBuilder name = new StringBuilder(params.getBenchmark());
        for (final String key : params.getParamsKeys()) {
            name.append(' ').append(key).append('=').append(params.getParam(key));
        }
        final String next = name.toString();
        // Told once for each fork.
        if (!next.equals(current)) {
            noteFailure();
            started++;
            console.printf("[%d] %s%n", started, next.substring(next.indexOf("benchmarks.") + 11));
            current = next;
        }
        log.startBenchmark(params);
    }

    @Override
    public void endBenchmark(final BenchmarkResult result) {
        current = result == null ? current : null;
        log.endBenchmark(result);
    }

    @Override
    public void iteration(final BenchmarkParams params, final IterationParams iteration, final int index) {
        log.iteration(params, iteration, index);
    }

    @Override
    public void iterationResult(
            final BenchmarkParams params,
            final IterationParams iteration,
            final int index,
            final IterationResult result) {
        log.iterationResult(params, iteration, index, result);
    }

    @Override
    public void startRun() {
        log.startRun();
    }

    @Override
    public void endRun(final Collection<RunResult> results) {
        log.endRun(results);
    }

    @Override
    public void print(final String text) {
        log.print(text);
    }

    @Override
    public void println(final String text) {
        log.println(text);
    }

    @Override
    public void flush() {
        log.flush();
    }

    @Override
    public void close() {
        log.close();
    }

    @Override
    public void verbosePrintln(final String text) {
        log.verbosePrintln(text);
    }

    @Override
    public void write(final int character) {
        log.write(character);
    }

    @Override
    public void write(final byte[] text) throws IOException {
        log.write(text);
    }
}
