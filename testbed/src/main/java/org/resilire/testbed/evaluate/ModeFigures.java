package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Map;

/** What the experiment modes found, by workload and mode, with what follows from it. Immutable. */
final class ModeFigures {

    private final Map<Point, List<Sample>> samples;

    ModeFigures(final Results results) {
        samples = results.of(ModesExperiment.NAME);
    }

    boolean has(final Workload workload, final ProtectionMode mode) {
        return samples.containsKey(ModesExperiment.point(workload, mode));
    }

    Spread spread(final Workload workload, final ProtectionMode mode, final String figure) {
        return Spread.of(samples.getOrDefault(ModesExperiment.point(workload, mode), List.of()), figure);
    }

    double mean(final Workload workload, final ProtectionMode mode, final String figure) {
        return spread(workload, mode, figure).mean();
    }

    /** NaN if either is not known. */
    double ratio(final Workload workload, final ProtectionMode mode, final ProtectionMode to, final String figure) {
        return mean(workload, mode, figure) / mean(workload, to, figure);
    }

    /** What travels for each dirty page: epochs of a guest that computes have as many of these as it gets time. */
    Spread wireBytesPerPage(final Workload workload, final ProtectionMode mode) {
        return Spread.of(samples.getOrDefault(ModesExperiment.point(workload, mode), List.of()).stream()
                .mapToDouble(sample -> sample.figure("wireBytesPerEpoch") / sample.figure("dirtyPagesPerEpoch"))
                .toArray());
    }

    /** The bytes of one mode as a part of those of another, page for page; NaN if either is not known. */
    double wireRatio(final Workload workload, final ProtectionMode mode, final ProtectionMode to) {
        return wireBytesPerPage(workload, mode).mean()
                / wireBytesPerPage(workload, to).mean();
    }

    /** How much longer the same work takes: the baseline's rate, just before, by each sample's, less one. */
    Spread overhead(final Workload workload, final ProtectionMode mode) {
        final String figure = workload.needsNetwork() ? "operationsPerSecond" : "unitsPerSecond";
        final double before = Spread.of(
                        samples.getOrDefault(ModesExperiment.baseline(workload, mode), List.of()), figure)
                .mean();
        return Spread.of(samples.getOrDefault(ModesExperiment.point(workload, mode), List.of()).stream()
                .mapToDouble(sample -> before / sample.figure(figure) - 1)
                .toArray());
    }

    Spread baselineLatency(final Workload workload, final ProtectionMode mode) {
        return Spread.of(samples.getOrDefault(ModesExperiment.baseline(workload, mode), List.of()), "latencyMillisP50");
    }
}
