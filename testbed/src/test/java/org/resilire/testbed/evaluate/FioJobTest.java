package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.resilire.testbed.TestbedException;

class FioJobTest {

    private static final String OUTPUT = """
            nbd: some complaint
            {"jobs": [{"error": %d,
              "read": {"total_ios": 0, "iops": 0, "bw_bytes": 0, "clat_ns": {}},
              "write": {"total_ios": %d, "iops": 2000.5, "bw_bytes": 8194048,
                        "clat_ns": {"percentile": {"50.000000": 150000, "99.000000": 900000}}},
              "sync": {"lat_ns": {"percentile": {"50.000000": 2000000, "99.000000": 5000000}}}}]}
            """;

    @Test
    void shouldTakeTheFiguresOfItsDirection() {
        final Map<String, Double> figures = FioJob.named("flushed-write").figures(OUTPUT.formatted(0, 17));
        assertEquals(2_000.5, figures.get("requestsPerSecond"));
        assertEquals(0.15, figures.get("requestMillisP50"), 1e-9);
        assertEquals(5, figures.get("flushMillisP99"), 1e-9);
        assertFalse(
                FioJob.named("random-write").figures(OUTPUT.formatted(0, 17)).containsKey("flushMillisP50"));
    }

    @Test
    void shouldNotTakeAFailureForAFigure() {
        final FioJob write = FioJob.named("random-write");
        assertThrows(TestbedException.class, () -> write.figures(OUTPUT.formatted(5, 17)));
        assertThrows(TestbedException.class, () -> write.figures(OUTPUT.formatted(0, 0)));
        assertThrows(TestbedException.class, () -> FioJob.named("random-read").figures(OUTPUT.formatted(0, 17)));
        assertThrows(TestbedException.class, () -> write.figures("fio: cannot connect"));
    }
}
