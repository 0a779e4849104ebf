package org.resilire.benchmarks.report;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.resilire.benchmarks.capture.CaptureBenchmark;
import org.resilire.benchmarks.codecs.BatchCompressionBenchmark;
import org.resilire.benchmarks.codecs.EncodeBenchmark;
import org.resilire.benchmarks.handover.GateBenchmark;
import org.resilire.benchmarks.handover.HandOverBenchmark;
import org.resilire.benchmarks.kernels.CopyChangedBenchmark;
import org.resilire.benchmarks.kernels.FusedCaptureBenchmark;
import org.resilire.benchmarks.kernels.KernelBenchmark;
import org.resilire.benchmarks.replica.ApplyBenchmark;
import org.resilire.benchmarks.strategies.StrategyBenchmark;
import org.resilire.benchmarks.transport.SendBenchmark;

/** What can be asked for by name. A benchmark class that is in no group is found by a test. */
public enum BenchmarkGroup {
    /** What is done to every page. */
    KERNELS("Looking at a page that has not changed", List.of(KernelBenchmark.class)),

    /** The kernels of the pause. */
    FUSED(
            "Compare, copy and shadow update in one pass; compare and copy alone",
            List.of(FusedCaptureBenchmark.class, CopyChangedBenchmark.class)),

    /** Ways to find the changed blocks. */
    STRATEGIES("Finding changed blocks", List.of(StrategyBenchmark.class)),

    /** Records that travel. */
    CODECS("Encoding captured records", List.of(EncodeBenchmark.class, BatchCompressionBenchmark.class)),

    /** Queues between threads. */
    RINGS("Rings and hand-over", List.of(HandOverBenchmark.class, GateBenchmark.class)),

    /** All of an epoch's capture. */
    CAPTURE("Capture of a whole epoch", List.of(CaptureBenchmark.class)),

    /** The link. */
    TRANSPORT("Sending 64 KiB over the loopback interface", List.of(SendBenchmark.class)),

    /** The backup's side. */
    APPLY("Staging, checking and applying", List.of(ApplyBenchmark.class));

    private final String title;
    // A copy that cannot be changed.
    @SuppressWarnings("ImmutableEnumChecker")
    private final List<Class<?>> classes;

    BenchmarkGroup(final String title, final List<Class<?>> classes) {
        this.title = title;
        this.classes = List.copyOf(classes);
    }

    /** As a heading. */
    public String title() {
        return title;
    }

    /** As people write it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The classes of its benchmarks. */
    public List<Class<?>> classes() {
        return classes;
    }

    /** Matches the full names of its benchmarks, as JMH wants it. */
    public String pattern() {
        return classes.stream()
                .map(type -> Pattern.quote(type.getName() + "."))
                .collect(Collectors.joining("|", "^(", ").*"));
    }

    @Override
    public String toString() {
        return label();
    }
}
