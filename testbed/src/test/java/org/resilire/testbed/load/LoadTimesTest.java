package org.resilire.testbed.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;

class LoadTimesTest {

    private static final long MILLI = 1_000_000;
    private static final FailoverTimes FAILOVER = new FailoverTimes(100 * MILLI, 1_000 * MILLI, 1_100 * MILLI);

    @Test
    void shouldCountFromTheKillToTheFirstAnswerOfTheNewHost() {
        final LoadTimes times = new LoadTimes(FAILOVER);
        // The second came after the kill, but from the old host: it was on its way.
        times.add(List.of(answered(980, 990), answered(995, 1_001), answered(1_002, 1_250), answered(1_255, 1_300)));
        times.add(List.of(answered(900, 990), answered(991, 1_230)));
        times.add(List.of(answered(900, 990), answered(991, 1_400)));

        assertEquals(230, times.downtimeMillisFirst(), 0.001);
        assertEquals(250, times.downtimeMillisMedian(), 0.001);
        assertEquals(400, times.downtimeMillisWorst(), 0.001);
    }

    @Test
    void shouldSeparateLatenciesByWhetherTheGuestWasProtected() {
        final LoadTimes times = new LoadTimes(FAILOVER);
        times.add(List.of(answered(10, 12), answered(95, 160), answered(200, 240), answered(990, 1_250)));

        assertEquals(2, times.unprotectedLatencyMillis(50), 0.01);
        assertEquals(40, times.latencyMillis(100), 0.1);
    }

    @Test
    void shouldHaveNothingToSayWithoutAnswers() {
        final LoadTimes times = new LoadTimes(FAILOVER);
        times.add(List.of(answered(980, 990)));

        assertNull(times.downtimeMillisFirst());
        assertNull(times.downtimeMillisMedian());
        assertNull(times.unprotectedLatencyMillis(50));
    }

    private static Operation answered(final long sentMillis, final long acknowledgedMillis) {
        return new Operation(Operation.Kind.SET, 1, sentMillis * MILLI, acknowledgedMillis * MILLI, "value");
    }
}
