package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.resilire.testbed.evaluate.client.LoadSpec;
import org.resilire.testbed.evaluate.client.LoadSpec.Pace;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;
import org.resilire.testbed.lab.PauseFloor;

/** What a client waits for an answer that takes the guest 1 ms, by what decides when a checkpoint is made. */
final class DelayExperiment implements Experiment {

    static final String NAME = "delay";
    static final String UNPROTECTED = "unprotected";

    /**
     * When checkpoints are made.
     *
     * @param title for people
     * @param options of {@code resilire protect}
     */
    record Policy(String name, String title, List<String> options) {}

    static final Policy PERIODIC = new Policy("periodic-20ms", "every 20 ms", List.of());
    static final Policy OUTPUT = new Policy("output", "when the guest sends", List.of("--policy", "output"));
    static final List<Policy> POLICIES = List.of(
            PERIODIC,
            OUTPUT,
            new Policy(
                    "adaptive-delay-10ms",
                    "adaptive, delay of 10 ms wanted",
                    List.of("--policy", "adaptive", "--target-delay", "10ms")),
            new Policy(
                    "adaptive-overhead-10",
                    "adaptive, 10 % of the time paused wanted",
                    List.of("--policy", "adaptive", "--target-overhead", "10%")),
            new Policy("llm", "every 20 ms, input replayed (LLM)", ReplayMode.LLM.options()));

    private static final int PORT = 8082;
    private static final int WORK_MICROS = 1_000;
    private static final int THINK_MICROS = 20_000;
    private static final LoadSpec LOAD = new LoadSpec(Protocol.HTTP_WORK, PORT, 1, THINK_MICROS, Pace.RANDOM);

    /** Some 60 requests. */
    private static final Duration WINDOW = Duration.ofSeconds(2);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "what a client waits for 1 ms of work, by when checkpoints are made";
    }

    static Point point(final String policy) {
        return Point.of(NAME).with("policy", policy);
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return Stream.concat(Stream.of(UNPROTECTED), POLICIES.stream().map(Policy::name))
                .map(DelayExperiment::point)
                .toList();
    }

    @Override
    public void run(final Evaluation evaluation) {
        evaluation.measureTogether(points(evaluation.plan()), wanted -> run(evaluation, wanted));
    }

    private static void run(final Evaluation evaluation, final List<Point> wanted) {
        evaluation.say("booting a guest");
        final EvaluationPlan plan = evaluation.plan();
        try (Subject subject = Subject.boot(plan.guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            if (wanted.contains(point(UNPROTECTED))) {
                evaluation.measure(point(UNPROTECTED), () -> unprotected(evaluation, subject, running));
            }
            POLICIES.stream()
                    .filter(policy -> wanted.contains(point(policy.name())))
                    .forEach(policy -> evaluation.measure(
                            point(policy.name()), () -> protect(evaluation, subject, running, policy)));
        }
    }

    /** Through an agent that passes frames and does nothing else. */
    private static List<Sample> unprotected(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running) {
        final EvaluationPlan plan = evaluation.plan();
        final Protection network = Protection.attach(subject, List.of(), plan.period());
        try {
            start(running);
            Probes.window(plan.settle(), List.of());
            return windows(evaluation, point(UNPROTECTED), running.probes());
        } finally {
            network.close();
        }
    }

    private static List<Sample> protect(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Policy policy) {
        final EvaluationPlan plan = evaluation.plan();
        try (Protection protection = Protection.attach(subject, policy.options(), plan.period())) {
            start(running);
            final PauseFloor floor = subject.floor(plan.period(), plan.floorSamples());
            evaluation.protect(protection);
            final List<Sample> samples = windows(evaluation, point(policy.name()), protection.probes(running.probes()));
            evaluation.conclude(protection, floor, samples);
            return samples;
        }
    }

    private static void start(final RunningWorkload running) {
        running.start("work " + PORT + " " + WORK_MICROS, LOAD);
    }

    private static List<Sample> windows(final Evaluation evaluation, final Point point, final List<Probe> probes) {
        return evaluation.windows(point, evaluation.plan().samples(), WINDOW, probes);
    }
}
