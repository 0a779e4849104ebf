package org.resilire.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.benchmarks.kernels.KernelBenchmark;

class ReportTest {

    @TempDir
    Path directory;

    private static String result(
            final String method, final String place, final String score, final String unit, final String allocated) {
        return """
                {"benchmark": "%s.%s", "params": {"place": "%s"},
                 "primaryMetric": {"score": %s, "scoreError": "NaN", "scoreUnit": "%s"},
                 "secondaryMetrics": {"gc.alloc.rate": {"score": 5}, "gc.alloc.rate.norm": {"score": %s}}}
                """.formatted(KernelBenchmark.class.getName(), method, place, score, unit, allocated);
    }

    private String report(final String... results) throws IOException {
        final Path file = directory.resolve("results.json");
        Files.writeString(file, Arrays.toString(results));
        return new Report(ResultFile.read(file)).render();
    }

    private static String line(final String report, final String start) {
        return report.lines()
                .map(String::strip)
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElseThrow(() -> new AssertionError(report))
                .replaceAll(" {2,}", " | ");
    }

    @Test
    void shouldSetEachBesideTheYardstickOfItsParameters() throws IOException {
        final String report = report(
                result("memcmp", "CACHE", "50.0", "ns/op", "0.001"),
                result("memcmp", "DRAM", "0.8", "us/op", "0.001"),
                result("changedBlocks", "CACHE", "100.0", "ns/op", "0.001"),
                result("changedBlocks", "DRAM", "1000.0", "ns/op", "24.0"));
        assertEquals(
                "Kernel.changedBlocks | place=cache | 100 | 0.50 memcmp | 0",
                line(report, "Kernel.changedBlocks   place=cache"));
        assertEquals(
                "Kernel.changedBlocks | place=dram | 1,000 | 0.80 memcmp | 24.0",
                line(report, "Kernel.changedBlocks   place=dram"));
    }

    @Test
    void shouldShowWhatHasNoYardstick() throws IOException {
        final String report = report(result("changedBlocks", "CACHE", "100.0", "ns/op", "0.0"));
        assertEquals("Kernel.changedBlocks | place=cache | 100 | 0", line(report, "Kernel.changedBlocks"));
        assertTrue(report.contains("(kernels)"), report);
    }

    @Test
    void shouldSayThatAFileIsNoResult() throws IOException {
        final Path file = directory.resolve("other.json");
        Files.writeString(file, "not JSON");
        final String message = assertThrows(IllegalArgumentException.class, () -> ResultFile.read(file))
                .getMessage();
        assertTrue(message.contains("other.json is not a result of JMH"), message);
        Files.writeString(
                file, "[{\"benchmark\": \"a.B.c\", \"primaryMetric\": {\"score\": 1, \"scoreUnit\": \"ops/s\"}}]");
        assertThrows(IllegalArgumentException.class, () -> ResultFile.read(file));
    }
}
