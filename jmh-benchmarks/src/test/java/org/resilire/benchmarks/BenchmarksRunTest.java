package org.resilire.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.resilire.benchmarks.report.BenchmarkGroup;
import org.resilire.benchmarks.yardstick.CCompiler;
import org.resilire.benchmarks.yardstick.CKernels;

/** Runs every benchmark for a moment, in this JVM and on little memory: what does not run cannot be trusted to measure. */
@Timeout(120)
class BenchmarksRunTest {

    @BeforeAll
    static void measureBesideOthers() {
        // Nobody reads these times.
        System.setProperty("jmh.ignoreLock", "true");
    }

    @ParameterizedTest
    @EnumSource(BenchmarkGroup.class)
    void shouldRun(final BenchmarkGroup group) throws RunnerException {
        final ChainedOptionsBuilder options = new OptionsBuilder()
                .include(group.pattern())
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .timeout(TimeValue.seconds(20))
                .shouldFailOnError(true)
                .param("place", "CACHE")
                .param("changed", "3")
                .param("dirtyPages", "10")
                .param("guestMebibytes", "4");
        if (CCompiler.problem().isPresent()) {
            options.exclude(CKernels.BENCHMARKS);
        }
        final Collection<RunResult> results = new Runner(options.build()).run();
        assertFalse(results.isEmpty());
        for (final RunResult result : results) {
            assertTrue(
                    result.getPrimaryResult().getScore() > 0, result.getParams().getBenchmark());
        }
    }

    @Test
    void shouldBelongToExactlyOneGroup() {
        final OutputFormat silent = OutputFormatFactory.createFormatInstance(
                new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8), VerboseMode.SILENT);
        final Set<BenchmarkListEntry> all = BenchmarkList.defaultList().find(silent, List.of(".*"), List.of());
        assertTrue(all.size() > 20, "only " + all.size() + " benchmarks");
        for (final BenchmarkListEntry entry : all) {
            final List<BenchmarkGroup> groups = Arrays.stream(BenchmarkGroup.values())
                    .filter(group -> entry.getUsername().matches(group.pattern()))
                    .toList();
            assertEquals(1, groups.size(), entry.getUsername() + " is in " + groups);
        }
    }

    @ParameterizedTest
    @EnumSource(BenchmarkGroup.class)
    void shouldHaveTheYardsticksThatItNames(final BenchmarkGroup group) {
        for (final Class<?> type : group.classes()) {
            final Set<String> benchmarks =
                    benchmarks(type).stream().map(Method::getName).collect(Collectors.toCollection(TreeSet::new));
            for (final Method method : benchmarks(type)) {
                final Against against = method.getAnnotation(Against.class);
                if (against != null) {
                    assertTrue(
                            benchmarks.containsAll(List.of(against.value())),
                            method + " is against " + List.of(against.value()));
                }
            }
        }
    }

    private static List<Method> benchmarks(final Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Benchmark.class))
                .collect(Collectors.toCollection(ArrayList::new));
    }
}
