package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.resilire.testbed.lab.PauseFloor;

/** Every workload in every mode: pause, commit, bytes, overhead, memory, processor time. */
final class ModesExperiment implements Experiment {

    static final String NAME = "modes";
    static final String UNPROTECTED = "unprotected";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "every workload in every mode: pause, commit latency, bytes, overhead, memory, processor time";
    }

    static Point point(final Workload workload, final ProtectionMode mode) {
        return Point.of(NAME).with("workload", workload.label()).with("mode", mode.name());
    }

    /** The guest without protection, just before a mode. */
    static Point baseline(final Workload workload, final ProtectionMode mode) {
        return Point.of(NAME)
                .with("workload", workload.label())
                .with("mode", UNPROTECTED)
                .with("before", mode.name());
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return plan.workloads().stream()
                .flatMap(workload -> points(plan, workload))
                .toList();
    }

    private static Stream<Point> points(final EvaluationPlan plan, final Workload workload) {
        return plan.modes().stream().map(mode -> point(workload, mode));
    }

    @Override
    public void run(final Evaluation evaluation) {
        for (final Workload workload : evaluation.plan().workloads()) {
            evaluation.measureTogether(
                    points(evaluation.plan(), workload).toList(), wanted -> run(evaluation, workload, wanted));
        }
    }

    private static void run(final Evaluation evaluation, final Workload workload, final List<Point> wanted) {
        final EvaluationPlan plan = evaluation.plan();
        evaluation.say("%s: booting a guest", workload.title());
        try (Subject subject = Subject.boot(plan.guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            running.startOnce(workload);
            for (final Point point : wanted) {
                final ProtectionMode mode = ProtectionMode.named(point.coordinate("mode"));
                evaluation.measure(point, () -> measure(evaluation, subject, running, workload, mode));
            }
        }
    }

    /** What needs no network is measured without any agent; the others with one that passes frames and does nothing else. */
    private static List<Sample> measure(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Workload workload,
            final ProtectionMode mode) {
        final EvaluationPlan plan = evaluation.plan();
        final List<Sample> samples = new ArrayList<>();
        PauseFloor floor = null;
        if (!workload.needsNetwork()) {
            samples.addAll(unprotected(evaluation, subject, running, workload, mode));
            floor = subject.floor(plan.period(), plan.floorSamples());
        }
        try (Protection protection = Protection.attach(subject, mode.options(), plan.period())) {
            if (workload.needsNetwork()) {
                // Connections that stood still while no agent was there come back first.
                Probes.window(plan.settle(), List.of());
                samples.addAll(unprotected(evaluation, subject, running, workload, mode));
                floor = subject.floor(plan.period(), plan.floorSamples());
            }
            final List<Sample> taken =
                    evaluation.protectedWindows(point(workload, mode), protection, floor, running.probes());
            taken.forEach(sample -> running.addVerdict(sample.figures()));
            samples.addAll(taken);
        }
        return samples;
    }

    private static List<Sample> unprotected(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Workload workload,
            final ProtectionMode mode) {
        final List<Probe> probes = new ArrayList<>(running.probes());
        probes.add(Probes.cpu("guest", subject.process()));
        return evaluation.windows(baseline(workload, mode), evaluation.plan().baselineSamples(), probes);
    }
}
