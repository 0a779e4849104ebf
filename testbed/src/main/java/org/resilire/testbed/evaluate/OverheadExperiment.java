package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.ProcessorSplit;
import org.resilire.testbed.lab.QmpClient;

/**
 * What protection costs a program that computes, at two rates, and what of it QEMU's stop and cont cost alone. Windows with and without
 * alternate, since the speed of a guest on a shared machine drifts by more than is to be measured.
 */
final class OverheadExperiment implements Experiment {

    static final String NAME = "overhead";
    static final String STOP_CONT = "stop-cont";

    /** The default with agents and guest on processors of their own. */
    static final String APART = "fgbi-apart";

    static final List<Integer> RATES = List.of(10, 40);
    static final List<ProtectionMode> MODES = List.of(
            ProtectionMode.REMUS_RAW,
            ProtectionMode.REMUS_COMPRESSED,
            ProtectionMode.FGBI_BARE,
            ProtectionMode.DEFAULT);

    /** Long enough for ten epochs of the lower rate. */
    private static final Duration WINDOW = Duration.ofSeconds(1);

    /** What was written while unprotected has been sent by then. */
    private static final Duration RESUMED_SETTLE = Duration.ofMillis(300);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "NPB-EP at 10 and 40 epochs/s, with the share of stop and cont alone";
    }

    static Point point(final int epochsPerSecond, final String mode) {
        return Point.of(NAME).with("epochsPerSecond", epochsPerSecond).with("mode", mode);
    }

    /** Unprotected, between the windows of a point: one before each and one after the last. */
    static Point baseline(final Point point) {
        return Point.of(NAME)
                .with("epochsPerSecond", point.coordinate("epochsPerSecond"))
                .with("mode", ModesExperiment.UNPROTECTED)
                .with("before", point.coordinate("mode"));
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        final List<String> modes = new ArrayList<>();
        modes.add(STOP_CONT);
        MODES.forEach(mode -> modes.add(mode.name()));
        if (ProcessorSplit.isPossible()) {
            modes.add(APART);
        }
        return RATES.stream()
                .flatMap(rate -> modes.stream().map(mode -> point(rate, mode)))
                .toList();
    }

    @Override
    public void run(final Evaluation evaluation) {
        evaluation.measureTogether(points(evaluation.plan()), wanted -> run(evaluation, wanted));
    }

    private static void run(final Evaluation evaluation, final List<Point> wanted) {
        evaluation.say("booting a guest");
        try (Subject subject = Subject.boot(evaluation.plan().guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            running.startOnce(Workload.NPB_EP);
            for (final Point point : wanted) {
                evaluation.measure(point, () -> switch (point.coordinate("mode")) {
                    case STOP_CONT -> stopAndCont(evaluation, subject, running, point);
                    case APART -> protectApart(evaluation, subject, running, point);
                    default -> {
                        final ProtectionMode mode = ProtectionMode.named(point.coordinate("mode"));
                        yield protect(evaluation, subject, running, point, mode, protection -> {});
                    }
                });
            }
        }
    }

    private static Duration period(final Point point) {
        return Duration.ofSeconds(1).dividedBy(Long.parseLong(point.coordinate("epochsPerSecond")));
    }

    /** Neither protected nor paused; the number is that of the window that follows. */
    private static Sample unprotected(
            final Evaluation evaluation, final RunningWorkload running, final Point point, final int number) {
        return evaluation.window(baseline(point), number, evaluation.plan().samples() + 1, WINDOW, running.probes());
    }

    private static List<Sample> stopAndCont(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Point point) {
        return Alternation.windows(
                evaluation.plan().samples(),
                number -> unprotected(evaluation, running, point, number),
                number -> paused(evaluation, subject, running, point, number));
    }

    private static Sample paused(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Point point,
            final int number) {
        try (PacedPauses pauses = new PacedPauses(subject, period(point))) {
            final List<Probe> probes = new ArrayList<>(running.probes());
            probes.add(Probes.pauses(pauses));
            return evaluation.window(point, number, evaluation.plan().samples(), WINDOW, probes);
        }
    }

    private static List<Sample> protectApart(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Point point) {
        try (ProcessorSplit split = split(subject)) {
            return protect(
                    evaluation,
                    subject,
                    running,
                    point,
                    ProtectionMode.DEFAULT,
                    protection -> protection.agents().forEach(split::keepOff));
        }
    }

    /** QEMU talks to one client at a time, and the next one measures the floor. */
    private static ProcessorSplit split(final Subject subject) {
        try (QmpClient qmp = subject.openQmp()) {
            return new ProcessorSplit(qmp);
        }
    }

    /** @param prepare what to do to the agents once they protect the guest */
    private static List<Sample> protect(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Point point,
            final ProtectionMode mode,
            final Consumer<Protection> prepare) {
        final Duration period = period(point);
        final PauseFloor floor = subject.floor(period, evaluation.plan().floorSamples());
        final List<Sample> samples;
        try (Protection protection = Protection.attach(subject, mode.options(), period)) {
            evaluation.protect(protection);
            prepare.accept(protection);
            final List<Probe> probes = protection.probes(running.probes());
            // One pair of agents all along: a fresh one would be compiling its code in each window.
            samples = Alternation.windows(
                    evaluation.plan().samples(),
                    number -> {
                        protection.pause();
                        return unprotected(evaluation, running, point, number);
                    },
                    number -> {
                        protection.resume();
                        Probes.window(RESUMED_SETTLE, List.of());
                        return evaluation.window(
                                point, number, evaluation.plan().samples(), WINDOW, probes);
                    });
            protection.resume();
            evaluation.conclude(
                    protection,
                    floor,
                    samples.stream()
                            .filter(sample -> sample.point().equals(point))
                            .toList());
        }
        samples.forEach(sample -> running.addVerdict(sample.figures()));
        return samples;
    }
}
