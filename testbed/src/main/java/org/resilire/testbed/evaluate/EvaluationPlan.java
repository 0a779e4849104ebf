package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.List;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;

/**
 * How much is measured.
 *
 * @param samples windows for a point
 * @param window length of one
 * @param settle from protection to the first window
 * @param baselineSamples windows without protection before each mode
 * @param floorSamples pauses that the floor is taken from
 * @param memoryMiB of the guests, if an experiment does not vary it
 * @param period of the epochs, if an experiment does not vary it
 * @param isQuick fewer points, too
 */
record EvaluationPlan(
        int samples,
        Duration window,
        Duration settle,
        int baselineSamples,
        int floorSamples,
        int memoryMiB,
        Duration period,
        List<Workload> workloads,
        List<ProtectionMode> modes,
        boolean isQuick) {

    static EvaluationPlan full(final List<Workload> workloads, final List<ProtectionMode> modes) {
        return new EvaluationPlan(
                20,
                Duration.ofMillis(500),
                Duration.ofSeconds(2),
                5,
                60,
                512,
                Duration.ofMillis(20),
                workloads,
                modes,
                false);
    }

    /** To see that everything works; the spread of its figures says little. */
    static EvaluationPlan quick(final List<Workload> workloads, final List<ProtectionMode> modes) {
        return new EvaluationPlan(
                3,
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                2,
                50,
                512,
                Duration.ofMillis(20),
                workloads,
                modes,
                true);
    }

    /** What experiments boot that do not vary it. */
    GuestConfig guest() {
        return new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, 1);
    }

    /** What samples must have in common to be shown together; not which points there are. */
    String settings() {
        return samples + " samples of " + window.toMillis() + " ms, " + settle.toMillis() + " ms to settle, "
                + memoryMiB + " MiB, epochs of " + period.toMillis() + " ms unless said otherwise";
    }
}
