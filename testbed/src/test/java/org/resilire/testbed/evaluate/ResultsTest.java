package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.testbed.TestbedException;

class ResultsTest {

    private static final String SETTINGS = "3 samples";
    private static final Point POINT =
            Point.of("modes").with("workload", "idle").with("mode", "fgbi");

    @TempDir
    private Path directory;

    @Test
    void shouldGoOnWhereARunWasCutOff() {
        final Results first = Results.open(directory, SETTINGS);
        first.begin(new Results.Run(Instant.EPOCH, Map.of("processors", "2")));
        assertFalse(first.has(POINT));
        first.add(List.of(sample(1, 2.5), sample(2, 3.5)));

        final Results second = Results.open(directory, SETTINGS);
        assertTrue(second.has(POINT));
        assertFalse(second.has(POINT.with("before", "fgbi")));
        assertEquals(List.of(sample(1, 2.5), sample(2, 3.5)), second.of("modes").get(POINT));
        assertEquals("2", second.runs().getFirst().machine().get("processors"));
    }

    @Test
    void shouldNotMixSamplesThatWereTakenInDifferentWays() {
        final Results first = Results.open(directory, SETTINGS);
        first.add(List.of(sample(1, 2.5)));
        final TestbedException refused =
                assertThrows(TestbedException.class, () -> Results.open(directory, "20 samples"));
        assertTrue(refused.getMessage().contains("3 samples"), refused::getMessage);
    }

    @Test
    void shouldForgetAFailureOnceThePointIsMeasured() {
        final Results results = Results.open(directory, SETTINGS);
        results.addFailure(POINT, "the agent ended");
        assertEquals(1, Results.open(directory, SETTINGS).failures().size());
        results.add(List.of(sample(1, 2.5)));
        assertEquals(List.of(), Results.open(directory, SETTINGS).failures());
    }

    @Test
    void shouldRefuseAFileThatHoldsNoResultsInsteadOfOverwritingIt() throws IOException {
        Files.writeString(directory.resolve("results.json"), "[1, 2");
        assertThrows(TestbedException.class, () -> Results.open(directory, SETTINGS));
        assertEquals("[1, 2", Files.readString(directory.resolve("results.json")));
    }

    private static Sample sample(final int number, final double pauseMillis) {
        return new Sample(POINT, number, Instant.EPOCH, Map.of("pauseMillisP50", pauseMillis));
    }
}
