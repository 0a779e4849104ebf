package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

    private static Point point(final int epochsPerSecond, final String mode) {
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
    public void run(final Evaluation evaluation) {
        final List<Runnable> measurements = new ArrayList<>();
        final Subject[] subject = new Subject[1];
        final RunningWorkload[] running = new RunningWorkload[1];
        for (final int rate : RATES) {
            final Duration period = Duration.ofMillis(1_000 / rate);
            final Point alone = point(rate, STOP_CONT);
            if (evaluation.lacks(alone)) {
                measurements.add(() -> evaluation.measure(
                        alone, () -> stopAndCont(evaluation, subject[0], running[0], alone, period)));
            }
            for (final ProtectionMode mode : MODES) {
                final Point point = point(rate, mode.name());
                if (evaluation.lacks(point)) {
                    measurements.add(() -> evaluation.measure(
                            point, () -> protect(evaluation, subject[0], running[0], point, mode, period)));
                }
            }
        }
        if (measurements.isEmpty()) {
            return;
        }
        evaluation.say("booting a guest");
        final GuestConfig config =
                new GuestConfig(GuestImage.fromEnvironment(), evaluation.plan().memoryMiB(), 1);
        try (Subject booted = Subject.boot(config);
                RunningWorkload started = new RunningWorkload(booted)) {
            subject[0] = booted;
            running[0] = started;
            started.startOnce(Workload.NPB_EP);
            measurements.forEach(Runnable::run);
        }
    }

    private static List<Sample> unprotected(
            final Evaluation evaluation, final RunningWorkload running, final Point point) {
        return evaluation.windows(baseline(point), evaluation.plan().baselineSamples(), running.probes());
    }

    private static List<Sample> stopAndCont(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Point point,
            final Duration period) {
        final List<Sample> samples = new ArrayList<>(unprotected(evaluation, running, point));
        final PacedPauses pauses = new PacedPauses(subject, period);
        try {
            samples.addAll(evaluation.windows(point, evaluation.plan().samples(), running.probes()));
        } finally {
            pauses.close();
        }
        return samples;
    }

    private static List<Sample> protect(
            final Evaluation evaluation,
            final Subject subject,
            final RunningWorkload running,
            final Point point,
            final ProtectionMode mode,
            final Duration period) {
        final List<Sample> samples = new ArrayList<>(unprotected(evaluation, running, point));
        final PauseFloor floor = subject.floor(period, evaluation.plan().floorSamples());
        try (Protection protection = Protection.attach(subject, mode.options(), period)) {
            samples.addAll(evaluation.protectedWindows(point, protection, floor, running.probes()));
        }
        samples.forEach(sample -> running.addVerdict(sample.figures()));
        return samples;
    }
}
