package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.resilire.testbed.evaluate.client.TimedRequest;
import org.resilire.testbed.lab.PauseFloor;

/**
 * LLM beside Remus and FGBI at equal periods: the delay of clients, its course over a period, and the type I downtime of real
 * failovers with what they do to answers.
 */
final class ReplayExperiment implements Experiment {

    static final String NAME = "llm";
    static final String DELAY = "delay";
    static final String COURSE = "course";
    static final String DOWNTIME = "downtime";

    private static final List<Long> PERIODS_MILLIS = List.of(20L, 100L, 500L);
    private static final List<Long> FEW_PERIODS_MILLIS = List.of(100L);
    private static final List<Long> DOWNTIME_PERIODS_MILLIS = List.of(20L, 100L, 500L, 1_000L);
    private static final List<ReplayLoad> DELAY_LOADS =
            List.of(ReplayLoad.HIGH_NET, ReplayLoad.WEB_STATIC, ReplayLoad.WEB_DYNAMIC);
    private static final List<ReplayLoad> DOWNTIME_LOADS = List.of(ReplayLoad.HIGH_NET, ReplayLoad.HIGH_SYS);
    private static final long COURSE_PERIOD_MILLIS = 500;
    private static final int COURSE_PERIODS = 2;
    private static final Duration SHORTEST_WINDOW = Duration.ofSeconds(1);

    /** In a window. */
    private static final int LEAST_PERIODS = 4;

    /** How long the slowest answer may take. */
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(1);

    /** Beyond it a floor takes minutes and tells nothing more. */
    private static final Duration LONGEST_FLOOR_PERIOD = Duration.ofMillis(100);

    private static final int FAILOVERS = 5;
    private static final int FEW_FAILOVERS = 1;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "LLM beside Remus and FGBI: delay, its course over a period, downtime, what happens to answers";
    }

    static Point point(final String what, final ReplayLoad load, final ReplayMode mode, final long periodMillis) {
        return Point.of(NAME)
                .with("what", what)
                .with("load", load.label())
                .with("mode", mode.name())
                .with("periodMillis", periodMillis);
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return Stream.of(
                        DELAY_LOADS.stream().flatMap(load -> delayPoints(plan, load)),
                        coursePoints(),
                        DOWNTIME_LOADS.stream().flatMap(load -> downtimePoints(plan, load)))
                .flatMap(points -> points)
                .toList();
    }

    private static Stream<Point> delayPoints(final EvaluationPlan plan, final ReplayLoad load) {
        return points(DELAY, load, plan.isQuick() ? FEW_PERIODS_MILLIS : PERIODS_MILLIS);
    }

    private static Stream<Point> coursePoints() {
        return points(COURSE, ReplayLoad.HIGH_NET, List.of(COURSE_PERIOD_MILLIS));
    }

    private static Stream<Point> downtimePoints(final EvaluationPlan plan, final ReplayLoad load) {
        return points(DOWNTIME, load, plan.isQuick() ? FEW_PERIODS_MILLIS : DOWNTIME_PERIODS_MILLIS);
    }

    private static Stream<Point> points(final String what, final ReplayLoad load, final List<Long> periodsMillis) {
        return periodsMillis.stream()
                .flatMap(period -> ReplayMode.ALL.stream().map(mode -> point(what, load, mode, period)));
    }

    @Override
    public void run(final Evaluation evaluation) {
        final EvaluationPlan plan = evaluation.plan();
        for (final ReplayLoad load : DELAY_LOADS) {
            final Stream<Point> points =
                    Stream.concat(delayPoints(plan, load), load == ReplayLoad.HIGH_NET ? coursePoints() : Stream.of());
            evaluation.measureTogether(points.toList(), wanted -> runDelays(evaluation, load, wanted));
        }
        DOWNTIME_LOADS.stream()
                .flatMap(load -> downtimePoints(plan, load))
                .filter(evaluation::lacks)
                .forEach(point -> evaluation.measure(point, () -> failOver(evaluation, point)));
    }

    /** One guest for a load. */
    private static void runDelays(final Evaluation evaluation, final ReplayLoad load, final List<Point> wanted) {
        evaluation.say("%s: booting a guest", load.title());
        try (Subject subject = Subject.boot(evaluation.plan().guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            wanted.forEach(
                    point -> evaluation.measure(point, () -> protect(evaluation, subject, running, load, point)));
        }
    }

    private static Duration period(final Point point) {
        return Duration.ofMillis(Long.parseLong(point.coordinate("periodMillis")));
    }

    private static List<Sample> protect(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final ReplayLoad load,
            final Point point) {
        final Duration period = period(point);
        final EvaluationPlan plan = evaluation.plan();
        final ReplayMode mode = ReplayMode.named(point.coordinate("mode"));
        try (Protection protection = Protection.attach(subject, mode.options(), period)) {
            running.start(load.guestCommand(), load.clients());
            if (point.coordinate("what").equals(COURSE)) {
                evaluation.protect(protection);
                return course(point, running, period);
            }
            final PauseFloor floor = subject.floor(min(period, LONGEST_FLOOR_PERIOD), plan.floorSamples());
            evaluation.protect(protection);
            return delays(evaluation, point, protection, running, floor);
        }
    }

    private static Duration min(final Duration one, final Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static List<Sample> delays(
            final Evaluation evaluation,
            final Point point,
            final Protection protection,
            final RunningWorkload running,
            final PauseFloor floor) {
        final List<Sample> samples = evaluation.windows(
                point, evaluation.plan().samples(), window(point), protection.probes(running.probes()));
        evaluation.conclude(protection, floor, samples);
        return samples;
    }

    private static Duration window(final Point point) {
        final Duration periods = period(point).multipliedBy(LEAST_PERIODS);
        return periods.compareTo(SHORTEST_WINDOW) > 0 ? periods : SHORTEST_WINDOW;
    }

    /** A sample is one request: when it was sent, and how long its answer took. */
    private static List<Sample> course(final Point point, final RunningWorkload running, final Duration period) {
        Probes.window(period.multipliedBy(COURSE_PERIODS).plus(ANSWER_LIMIT.multipliedBy(2)), List.of());
        final List<TimedRequest> requests = running.lastRequests();
        final long lastNs = requests.stream()
                .mapToLong(request -> request.sentNs() + request.latencyNanos())
                .max()
                .orElse(0);
        // Those that were sent later may not all have been answered yet, and the slow ones would be missing.
        final long endNs = lastNs - ANSWER_LIMIT.toNanos();
        final long startNs = endNs - period.multipliedBy(COURSE_PERIODS).toNanos();
        final List<Sample> samples = new ArrayList<>();
        final TimedRequest[] inOrder = requests.stream()
                .filter(request -> request.sentNs() >= startNs && request.sentNs() < endNs)
                .sorted((one, other) -> Long.compare(one.sentNs(), other.sentNs()))
                .toArray(TimedRequest[]::new);
        for (final TimedRequest request : inOrder) {
            final Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("sentMillis", (request.sentNs() - startNs) / 1e6);
            figures.put("latencyMillis", request.latencyNanos() / 1e6);
            samples.add(new Sample(point, samples.size() + 1, Instant.now(), figures));
        }
        return samples;
    }

    /** A guest for each, in a lab of its own. */
    private static List<Sample> failOver(final Evaluation evaluation, final Point point) {
        final int count = evaluation.plan().isQuick() ? FEW_FAILOVERS : FAILOVERS;
        final ReplayLoad load = ReplayLoad.labelled(point.coordinate("load"));
        final ReplayMode mode = ReplayMode.named(point.coordinate("mode"));
        final List<Sample> samples = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            final FailoverTrial trial = new FailoverTrial(evaluation.plan().guest(), load, mode, period(point), number);
            samples.add(new Sample(point, number, Instant.now(), trial.run()));
        }
        evaluation.say(
                "  downtime %s ms; answers lost %.0f, duplicated %.0f, wrong %.0f",
                Arrays.toString(samples.stream()
                        .mapToLong(sample -> Math.round(sample.figure("serviceDowntimeMillis")))
                        .toArray()),
                sum(samples, "lostAnswers"),
                sum(samples, "duplicatedAnswers"),
                sum(samples, "wrongAnswers"));
        return samples;
    }

    static double sum(final List<Sample> samples, final String figure) {
        return samples.stream().mapToDouble(sample -> sample.figure(figure)).sum();
    }
}
