package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.stream.Stream;
import org.resilire.guest.GuestMemory;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.SyntheticConfig;

/** What takes a guest that no emulator could be: the same agents over a process that writes at the processor's own speed. */
final class SyntheticExperiments {

    static final String SIZE = "size";
    static final String RATE = "synthetic";

    private static final int PAGES_A_MIB = 256;
    private static final int FILL_MIB = 256;
    private static final String SEQUENTIAL = "sequential";
    private static final String RANDOM = "random";
    private static final int FEW_BYTES = 64;

    private SyntheticExperiments() {}

    /** Cost against the guest's size at a constant dirty set. */
    static final class Size implements Experiment {

        private static final List<Integer> SIZES_MIB = List.of(512, 1_024, 2_048, 4_096, 8_192);
        private static final List<Integer> FEW_SIZES_MIB = List.of(512, 2_048);
        private static final List<Integer> SCAN_THREADS = List.of(1, 2);
        private static final long PAGES_A_SECOND = 12_000;

        @Override
        public String name() {
            return SIZE;
        }

        @Override
        public String title() {
            return "cost against the guest's size at 12,000 dirty pages/s (synthetic guest)";
        }

        @Override
        public List<Point> points(final EvaluationPlan plan) {
            return (plan.isQuick() ? FEW_SIZES_MIB : SIZES_MIB)
                    .stream().flatMap(Size::points).toList();
        }

        private static Stream<Point> points(final int sizeMiB) {
            return SCAN_THREADS.stream()
                    .flatMap(scanThreads -> Stream.of(ProtectionMode.REMUS_RAW, ProtectionMode.DEFAULT)
                            .map(mode -> Point.of(SIZE)
                                    .with("mode", mode.name())
                                    .with("memoryMiB", sizeMiB)
                                    .with("scanThreads", scanThreads)));
        }

        @Override
        public void run(final Evaluation evaluation) {
            points(evaluation.plan()).stream().filter(evaluation::lacks).forEach(point -> {
                final int memoryMiB = Integer.parseInt(point.coordinate("memoryMiB"));
                evaluation.measure(
                        point, () -> measure(evaluation, point, memoryMiB, PAGES_A_SECOND, FEW_BYTES, SEQUENTIAL));
            });
        }
    }

    /** Rates beyond an emulated guest's. */
    static final class Rate implements Experiment {

        private static final int MEMORY_MIB = 1_024;
        private static final List<Long> RATES = List.of(1_000L, 12_000L, 50_000L, 100_000L);
        private static final long NOISE_RATE = 12_000;
        private static final List<Long> FEW_RATES = List.of(12_000L, 100_000L);
        private static final List<ProtectionMode> MODES = List.of(
                ProtectionMode.REMUS_RAW,
                ProtectionMode.REMUS_COMPRESSED,
                ProtectionMode.FGBI_BARE,
                ProtectionMode.DEFAULT);

        @Override
        public String name() {
            return RATE;
        }

        @Override
        public String title() {
            return "dirty rates to 100,000 pages/s (synthetic guest)";
        }

        @Override
        public List<Point> points(final EvaluationPlan plan) {
            return Stream.concat(
                            (plan.isQuick() ? FEW_RATES : RATES)
                                    .stream().flatMap(rate -> points(rate, FEW_BYTES, SEQUENTIAL)),
                            points(NOISE_RATE, GuestMemory.PAGE_BYTES, RANDOM))
                    .toList();
        }

        private static Stream<Point> points(final long rate, final int bytes, final String pattern) {
            return MODES.stream()
                    .map(mode -> Point.of(RATE)
                            .with("mode", mode.name())
                            .with("pattern", pattern)
                            .with("bytesPerPage", bytes)
                            .with("wantedPagesPerSecond", rate));
        }

        @Override
        public void run(final Evaluation evaluation) {
            points(evaluation.plan()).stream()
                    .filter(evaluation::lacks)
                    .forEach(point -> evaluation.measure(
                            point,
                            () -> measure(
                                    evaluation,
                                    point,
                                    MEMORY_MIB,
                                    Long.parseLong(point.coordinate("wantedPagesPerSecond")),
                                    Integer.parseInt(point.coordinate("bytesPerPage")),
                                    point.coordinate("pattern"))));
        }
    }

    private static List<Sample> measure(
            final Evaluation evaluation,
            final Point point,
            final int memoryMiB,
            final long pagesPerSecond,
            final int bytes,
            final String pattern) {
        requireMemory(memoryMiB);
        final String scanThreads = point.coordinate("scanThreads");
        final ProtectionMode named = ProtectionMode.named(point.coordinate("mode"));
        final ProtectionMode mode =
                scanThreads.isEmpty() ? named : named.withScanThreads(Integer.parseInt(scanThreads));
        final EvaluationPlan plan = evaluation.plan();
        final long pages = (long) FILL_MIB * PAGES_A_MIB;
        try (Subject subject = Subject.synthetic(SyntheticConfig.fromEnvironment(memoryMiB, pages))) {
            final PauseFloor floor = subject.floor(plan.period(), plan.floorSamples());
            try (Protection protection = Protection.attach(subject, mode.options(), plan.period())) {
                subject.write(pagesPerSecond, bytes, pattern, pages);
                return evaluation.protectedWindows(point, protection, floor, List.of());
            }
        }
    }

    /** Reading memory that nobody wrote makes pages of it, on either side. */
    private static void requireMemory(final int memoryMiB) {
        final long availableMiB = Machine.availableMiB();
        final long neededMiB = 2L * memoryMiB + 4L * FILL_MIB;
        if (availableMiB < neededMiB) {
            throw new TestbedException(
                    "needs " + neededMiB + " MiB of memory, of which " + availableMiB + " are available");
        }
    }
}
