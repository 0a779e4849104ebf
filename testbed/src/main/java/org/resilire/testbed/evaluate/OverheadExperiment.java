package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.PauseFloor;

/** What protection costs a program that computes, at two rates, and what of it QEMU's stop and cont cost alone. */
final class OverheadExperiment implements Experiment {

    static final String NAME = "overhead";
    static final String STOP_CONT = "stop-cont";
    static final List<Integer> RATES = List.of(10, 40);
    static final List<ProtectionMode> MODES = List.of(
            ProtectionMode.REMUS_RAW,
            ProtectionMode.REMUS_COMPRESSED,
            ProtectionMode.FGBI_BARE,
            ProtectionMode.DEFAULT);

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

    /** Unprotected, just before. */
    static Point baseline(final Point point) {
        return Point.of(NAME)
                .with("epochsPerSecond", point.coordinate("epochsPerSecond"))
                .with("mode", ModesExperiment.UNPROTECTED)
                .with("before", point.coordinate("mode"));
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return RATES.stream()
                .flatMap(rate -> Stream.concat(
                                Stream.of(STOP_CONT), MODES.stream().map(ProtectionMode::name))
                        .map(mode -> point(rate, mode)))
                .toList();
    }

    @Override
    public void run(final Evaluation evaluation) {
        final List<Point> wanted =
                points(evaluation.plan()).stream().filter(evaluation::lacks).toList();
        if (!wanted.isEmpty()) {
            evaluation.measureTogether(wanted, () -> run(evaluation, wanted));
        }
    }

    private static void run(final Evaluation evaluation, final List<Point> wanted) {
        evaluation.say("booting a guest");
        final GuestConfig config =
                new GuestConfig(GuestImage.fromEnvironment(), evaluation.plan().memoryMiB(), 1);
        try (Subject subject = Subject.boot(config);
                RunningWorkload running = new RunningWorkload(subject)) {
            running.startOnce(Workload.NPB_EP);
            for (final Point point : wanted) {
                evaluation.measure(
                        point,
                        () -> point.coordinate("mode").equals(STOP_CONT)
                                ? stopAndCont(evaluation, subject, running, point)
                                : protect(evaluation, subject, running, point));
            }
        }
    }

    private static Duration period(final Point point) {
        return Duration.ofSeconds(1).dividedBy(Long.parseLong(point.coordinate("epochsPerSecond")));
    }

    private static List<Sample> unprotected(
            final Evaluation evaluation, final RunningWorkload running, final Point point) {
        return evaluation.windows(baseline(point), evaluation.plan().baselineSamples(), running.probes());
    }

    private static List<Sample> stopAndCont(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Point point) {
        final List<Sample> samples = new ArrayList<>(unprotected(evaluation, running, point));
        try (PacedPauses pauses = new PacedPauses(subject, period(point))) {
            final List<Probe> probes = new ArrayList<>(running.probes());
            probes.add(Probes.pauses(pauses));
            samples.addAll(evaluation.windows(point, evaluation.plan().samples(), probes));
        }
        return samples;
    }

    private static List<Sample> protect(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Point point) {
        final ProtectionMode mode = ProtectionMode.named(point.coordinate("mode"));
        final Duration period = period(point);
        final List<Sample> samples = new ArrayList<>(unprotected(evaluation, running, point));
        final PauseFloor floor = subject.floor(period, evaluation.plan().floorSamples());
        try (Protection protection = Protection.attach(subject, mode.options(), period)) {
            samples.addAll(evaluation.protectedWindows(point, protection, floor, running.probes()));
        }
        samples.forEach(sample -> running.addVerdict(sample.figures()));
        return samples;
    }
}
