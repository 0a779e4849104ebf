package org.resilire.testbed.evaluate;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.PauseFloor;

/** What all experiments need: the plan, the results, and somebody to tell. One thread. */
final class Evaluation {

    private final EvaluationPlan plan;
    private final Results results;
    private final PrintWriter out;
    private final BooleanSupplier isEnding;
    private final int total;
    private final long startedNs = System.nanoTime();
    private final Set<Point> failed = new HashSet<>();
    private int begun;
    private boolean hasDifferences;

    /** @param wanted all points of the experiments that are to be run; those that the results have are not measured again */
    Evaluation(
            final EvaluationPlan plan,
            final List<Point> wanted,
            final Results results,
            final PrintWriter out,
            final BooleanSupplier isEnding) {
        total = (int) wanted.stream().filter(point -> !results.has(point)).count();
        this.isEnding = isEnding;
        this.plan = plan;
        this.results = results;
        this.out = out;
    }

    EvaluationPlan plan() {
        return plan;
    }

    boolean lacks(final Point point) {
        return !results.has(point);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation's library is no dependency of this project
    void say(final String format, final Object... values) {
        final long seconds = Duration.ofNanos(System.nanoTime() - startedNs).toSeconds();
        out.println(String.format(Locale.ROOT, "%3d:%02d  ", seconds / 60, seconds % 60)
                + String.format(Locale.ROOT, format, values));
        out.flush();
    }

    /**
     * Measures points that belong together and keeps their samples; a failure is told and kept, and the evaluation goes on.
     */
    void measure(final Point point, final Supplier<List<Sample>> measurement) {
        begun++;
        say("%d of %d  %s", begun, total, point);
        try {
            final List<Sample> samples = measurement.get();
            results.add(samples);
        } catch (final TestbedException failure) {
            rethrowIfEnding(failure);
            fail(point, failure);
        }
    }

    /**
     * Measures points that need something together, such as a guest; if that fails, those that are left are told and kept as not
     * measured, and the evaluation goes on.
     *
     * @param measurements is given those points that the results do not have yet, unless they have all
     */
    void measureTogether(final List<Point> points, final Consumer<List<Point>> measurements) {
        final List<Point> wanted = points.stream().filter(this::lacks).toList();
        if (wanted.isEmpty()) {
            return;
        }
        try {
            measurements.accept(wanted);
        } catch (final TestbedException failure) {
            rethrowIfEnding(failure);
            final List<Point> left = wanted.stream()
                    .filter(point -> lacks(point) && !failed.contains(point))
                    .toList();
            begun += left.size();
            left.forEach(point -> fail(point, failure));
        }
    }

    /** Told to end: the lab is being taken down under the measurement, which is no finding. */
    private void rethrowIfEnding(final TestbedException failure) {
        if (Thread.currentThread().isInterrupted() || isEnding.getAsBoolean()) {
            throw failure;
        }
    }

    private void fail(final Point point, final TestbedException failure) {
        failed.add(point);
        results.addFailure(point, failure.getMessage());
        say("  not measured: %s: %s", point, failure.getMessage());
    }

    /** Whether a point could not be measured. */
    boolean hasFailures() {
        return !failed.isEmpty();
    }

    /** Whether any comparison of memories found a difference: the worst that can be. */
    boolean hasDifferences() {
        return hasDifferences;
    }

    /** Windows of a point, one after another. */
    List<Sample> windows(final Point point, final int count, final List<Probe> probes) {
        return windows(point, count, plan.window(), probes);
    }

    /** The same, of another length than the plan's. */
    List<Sample> windows(final Point point, final int count, final Duration length, final List<Probe> probes) {
        final List<Sample> samples = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            samples.add(window(point, number, count, length, probes));
        }
        return samples;
    }

    /** One window of a point that has so many. */
    Sample window(
            final Point point, final int number, final int count, final Duration length, final List<Probe> probes) {
        final Map<String, Double> figures = Probes.window(length, probes);
        // One line that is written over would be lost in a log.
        if (number == 1 || number == count) {
            say("  %2d of %d  %s", number, count, shown(figures));
        }
        return new Sample(point, number, Instant.now(), figures);
    }

    private static String shown(final Map<String, Double> figures) {
        final StringBuilder line = new StringBuilder();
        append(line, figures, "pauseMillisP50", "pause p50 %.2f ms");
        append(line, figures, "scanMillisP50", "scan %.2f ms");
        append(line, figures, "commitMillisP50", "commit p50 %.1f ms");
        append(line, figures, "dirtyPagesPerEpoch", "%.0f pages");
        append(line, figures, "wireBytesPerEpoch", "%.0f B/epoch");
        append(line, figures, "epochsPerSecond", "%.1f epochs/s");
        append(line, figures, "unitsPerSecond", "%.4g units/s");
        append(line, figures, "operationsPerSecond", "%.4g operations/s");
        append(line, figures, "latencyMillisP50", "latency p50 %.1f ms");
        return line.toString();
    }

    private static void append(
            final StringBuilder line, final Map<String, Double> figures, final String name, final String format) {
        if (figures.containsKey(name)) {
            line.append(line.isEmpty() ? "" : "  ").append(String.format(Locale.ROOT, format, figures.get(name)));
        }
    }

    /**
     * Protects a guest that an agent is attached to and measures it: settled windows, each with the floor, and a comparison of the
     * memories in the end.
     */
    List<Sample> protectedWindows(
            final Point point, final Protection protection, final PauseFloor floor, final List<Probe> more) {
        protect(protection);
        final List<Sample> samples = windows(point, plan.samples(), protection.probes(more));
        conclude(protection, floor, samples);
        return samples;
    }

    /** Protects a guest that an agent is attached to, and lets it settle. */
    void protect(final Protection protection) {
        protection.protect();
        Probes.window(plan.settle(), List.of());
        protection.noteFirstCheckpoints();
        final Map<String, Double> beginning = protection.beginning();
        say(
                "  protected after %.0f ms, %.1f MB; first %.0f pauses p50 %.2f, max %.2f ms",
                beginning.get("synchronisationMillis"),
                beginning.get("synchronisationBytes") / 1e6,
                beginning.get("firstCheckpoints"),
                beginning.get("firstPausesMillisP50"),
                beginning.get("firstPausesMillisMax"));
    }

    /** Compares the memories of a guest that is protected; adds that and the floor to its samples. */
    void conclude(final Protection protection, final PauseFloor floor, final List<Sample> samples) {
        final double differingPages = protection.verify();
        hasDifferences |= differingPages > 0;
        samples.forEach(sample -> {
            sample.figures().put("pauseFloorMillisP50", floor.millisP50());
            sample.figures().put("pauseFloorMillisP99", floor.millisP99());
            sample.figures().put("verifyDifferingPages", differingPages);
            sample.figures().putAll(protection.beginning());
        });
        say(
                "  floor p50 %.2f ms; memories %s",
                floor.millisP50(), differingPages == 0 ? "equal" : "DIFFER in " + (long) differingPages + " pages");
    }
}
