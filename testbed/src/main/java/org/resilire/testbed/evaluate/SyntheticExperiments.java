package org.resilire.testbed.evaluate;

import java.lang.management.ManagementFactory;
import java.util.List;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.SyntheticConfig;

/** What takes a guest that no emulator could be: the same agents over a process that writes at the processor's own speed. */
final class SyntheticExperiments {

    static final String SIZE = "size";
    static final String RATE = "synthetic";

    private static final int PAGES_A_MIB = 256;
    private static final int FILL_MIB = 256;

    private SyntheticExperiments() {}

    /** Cost against the guest's size at a constant dirty set. */
    static final class Size implements Experiment {

        private static final List<Integer> SIZES_MIB = List.of(512, 1_024, 2_048, 4_096, 8_192);
        private static final List<Integer> FEW_SIZES_MIB = List.of(512, 2_048);
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
        public void run(final Evaluation evaluation) {
            for (final int sizeMiB : evaluation.plan().isQuick() ? FEW_SIZES_MIB : SIZES_MIB) {
                for (final ProtectionMode mode : List.of(ProtectionMode.REMUS_RAW, ProtectionMode.DEFAULT)) {
                    final Point point = Point.of(SIZE).with("mode", mode.name()).with("memoryMiB", sizeMiB);
                    if (evaluation.lacks(point)) {
                        evaluation.measure(
                                point,
                                () -> measure(evaluation, point, mode, sizeMiB, PAGES_A_SECOND, 64, "sequential"));
                    }
                }
            }
        }
    }

    /** Rates beyond an emulated guest's. */
    static final class Rate implements Experiment {

        private static final int MEMORY_MIB = 1_024;
        private static final List<Long> RATES = List.of(1_000L, 12_000L, 50_000L, 100_000L);
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
        public void run(final Evaluation evaluation) {
            for (final long rate : evaluation.plan().isQuick() ? FEW_RATES : RATES) {
                for (final ProtectionMode mode : MODES) {
                    measure(evaluation, mode, rate, 64, "sequential");
                }
            }
            for (final ProtectionMode mode : MODES) {
                measure(evaluation, mode, 12_000, 4_096, "random");
            }
        }

        private static void measure(
                final Evaluation evaluation,
                final ProtectionMode mode,
                final long rate,
                final int bytes,
                final String pattern) {
            final Point point = Point.of(RATE)
                    .with("mode", mode.name())
                    .with("pattern", pattern)
                    .with("bytesPerPage", bytes)
                    .with("wantedPagesPerSecond", rate);
            if (evaluation.lacks(point)) {
                evaluation.measure(
                        point,
                        () -> SyntheticExperiments.measure(evaluation, point, mode, MEMORY_MIB, rate, bytes, pattern));
            }
        }
    }

    private static List<Sample> measure(
            final Evaluation evaluation,
            final Point point,
            final ProtectionMode mode,
            final int memoryMiB,
            final long pagesPerSecond,
            final int bytes,
            final String pattern) {
        requireMemory(memoryMiB);
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
        final var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        final long freeMiB = system.getFreeMemorySize() >> 20;
        final long neededMiB = 2L * memoryMiB + 4L * FILL_MIB;
        if (freeMiB < neededMiB) {
            throw new org.resilire.testbed.TestbedException(
                    "needs " + neededMiB + " MiB of memory, of which " + freeMiB + " are free");
        }
    }
}
