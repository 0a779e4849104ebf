package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.List;
import org.resilire.testbed.lab.PauseFloor;

/** The pause against the number of pages that an epoch dirties, in a real guest. */
final class PauseExperiment implements Experiment {

    static final String NAME = "pause";
    static final List<ProtectionMode> MODES = List.of(
            ProtectionMode.REMUS_RAW,
            ProtectionMode.REMUS_COMPRESSED,
            ProtectionMode.DEFAULT,
            ProtectionMode.NOT_AHEAD);

    private static final List<Long> PAGES = List.of(10L, 60L, 240L, 600L, 1_200L, 2_400L, 24_000L);
    private static final List<Long> FEW_PAGES = List.of(10L, 240L, 2_400L);
    private static final long MOST_AT_SHORT_PERIOD = 2_400;
    private static final Duration LONG_PERIOD = Duration.ofMillis(200);
    private static final int BYTES_A_PAGE = 64;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "the pause against dirty pages per epoch, FGBI beside Remus";
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return (plan.isQuick() ? FEW_PAGES : PAGES)
                .stream()
                        .flatMap(pages -> MODES.stream().map(mode -> point(mode, pages)))
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
            wanted.forEach(point -> evaluation.measure(point, () -> measure(evaluation, subject, running, point)));
        }
    }

    static Point point(final ProtectionMode mode, final long pages) {
        return Point.of(NAME).with("mode", mode.name()).with("wantedPagesPerEpoch", pages);
    }

    private static List<Sample> measure(
            final Evaluation evaluation, final Subject subject, final RunningWorkload running, final Point point) {
        final ProtectionMode mode = ProtectionMode.named(point.coordinate("mode"));
        final long pages = Long.parseLong(point.coordinate("wantedPagesPerEpoch"));
        final Duration period =
                pages > MOST_AT_SHORT_PERIOD ? LONG_PERIOD : evaluation.plan().period();
        final long rate = pages * 1_000 / period.toMillis();
        final int floorSamples = evaluation.plan().floorSamples();
        final List<Sample> samples;
        final PauseFloor before;
        try (Protection protection = Protection.attach(subject, mode.options(), period)) {
            // More pages than an epoch writes, or the same page would be written twice in one.
            running.start(
                    "dirty " + rate + " " + BYTES_A_PAGE + " sequential " + Math.max(4_096, pages + pages / 4), null);
            before = subject.floor(period, floorSamples);
            samples = evaluation.protectedWindows(point, protection, before, running.probes());
        }
        // A machine that is not ours alone drifts: what the pause is compared with is taken from both sides of it.
        final PauseFloor after = subject.floor(period, floorSamples);
        samples.forEach(sample -> {
            sample.figures().put("pauseFloorBeforeMillisP50", before.millisP50());
            sample.figures().put("pauseFloorAfterMillisP50", after.millisP50());
            sample.figures().put("pauseFloorMillisP50", (before.millisP50() + after.millisP50()) / 2);
        });
        return samples;
    }
}
