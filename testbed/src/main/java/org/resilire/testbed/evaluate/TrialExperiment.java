package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.List;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.LabProcess;
import org.resilire.testbed.lab.PauseFloor;

/** What the clients of a protected guest feel of {@code resilire test-failover} on the backup's host: windows with one under way, and without. */
final class TrialExperiment implements Experiment {

    static final String NAME = "trial";

    /** From the command's start on. */
    private static final Duration WINDOW = Duration.ofSeconds(3);

    /** How long the copy runs: it is there for the rest of the window. */
    private static final String RUNS_FOR = "3s";

    private static final Duration END_LIMIT = Duration.ofSeconds(60);

    /** What the command and its QEMU held is free again by then. */
    private static final Duration SETTLE = Duration.ofMillis(500);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "what the clients of a guest feel of a test of its standby";
    }

    static Point point() {
        return Point.of(NAME).with("workload", Workload.REDIS.label()).with("test", "under-way");
    }

    /** Between the windows of the point. */
    static Point baseline() {
        return Point.of(NAME).with("workload", Workload.REDIS.label()).with("test", "none");
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return List.of(point());
    }

    @Override
    public void run(final Evaluation evaluation) {
        evaluation.measureTogether(points(evaluation.plan()), wanted -> boot(evaluation));
    }

    private static void boot(final Evaluation evaluation) {
        evaluation.say("booting a guest");
        try (Subject subject = Subject.boot(evaluation.plan().guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            evaluation.measure(point(), () -> protect(evaluation, subject, running));
        }
    }

    private static List<Sample> protect(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running) {
        final EvaluationPlan plan = evaluation.plan();
        try (Protection protection = Protection.attach(subject, List.of(), plan.period())) {
            running.start(null, Workload.REDIS.load());
            final PauseFloor floor = subject.floor(plan.period(), plan.floorSamples());
            evaluation.protect(protection);
            final List<Probe> probes = protection.probes(running.probes());
            final int count = plan.samples();
            final List<Sample> samples = Alternation.windows(
                    count,
                    number -> evaluation.window(baseline(), number, count + 1, WINDOW, probes),
                    number -> underTest(evaluation, subject, number, probes));
            evaluation.conclude(protection, floor, samples);
            TrialFigures.of(samples).forEach(row -> evaluation.say("  %s", row));
            return samples;
        }
    }

    private static Sample underTest(
            final Evaluation evaluation, final Subject subject, final int number, final List<Probe> probes) {
        try (LabProcess test = subject.onStandbysHost("test-failover", "--for", RUNS_FOR)) {
            final Sample sample =
                    evaluation.window(point(), number, evaluation.plan().samples(), WINDOW, probes);
            if (!test.isAlive()) {
                throw new TestbedException("the test was over before the window" + test.logTail());
            }
            test.awaitEnd(END_LIMIT);
            if (test.exitStatus() != 0) {
                throw new TestbedException("the test failed" + test.logTail());
            }
            Probes.window(SETTLE, List.of());
            return sample;
        }
    }
}
