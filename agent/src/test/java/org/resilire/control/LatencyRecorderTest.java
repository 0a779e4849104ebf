package org.resilire.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.synthetic.Garbage;

@Timeout(60)
class LatencyRecorderTest {

    @TempDir
    Path directory;

    private final LatencyRecorder recorder = new LatencyRecorder();
    private AgentCounters counters;

    @BeforeEach
    void setUp() throws IOException {
        counters = AgentCounters.create(directory.resolve("counters"));
    }

    @Test
    void shouldPublishNothingBeforeAnythingIsRecorded() {
        publish();
        assertEquals(AgentCounter.UNKNOWN, counters.value(AgentCounter.PAUSE_NANOS_P50));
        assertEquals(AgentCounter.UNKNOWN, counters.value(AgentCounter.PAUSE_NANOS_MAX));
    }

    @Test
    void shouldPublishPercentilesOfTheWholeRun() {
        for (int i = 1; i <= 500; i++) {
            recorder.record(i * 1_000L);
        }
        publish();
        for (int i = 501; i <= 1_000; i++) {
            recorder.record(i * 1_000L);
        }
        publish();
        assertClose(500_000, counters.value(AgentCounter.PAUSE_NANOS_P50));
        assertClose(990_000, counters.value(AgentCounter.PAUSE_NANOS_P99));
        assertClose(1_000_000, counters.value(AgentCounter.PAUSE_NANOS_MAX));
        assertEquals(1_000, recorder.count());
    }

    @Test
    void shouldTakeSamplesOfWhatCameSinceTheLastOneWhoeverPublishesMeanwhile() {
        recorder.record(1_000);
        assertEquals(1, recorder.takeSample().getTotalCount());
        recorder.record(5_000);
        publish();
        recorder.record(7_000);
        final Histogram sample = recorder.takeSample();
        assertEquals(2, sample.getTotalCount());
        assertClose(5_000, sample.getMinNonZeroValue());
        assertClose(7_000, sample.getMaxValue());
        assertEquals(0, recorder.takeSample().getTotalCount());
        assertEquals(3, recorder.count());
    }

    @Test
    void shouldClampWhatIsOutOfRange() {
        recorder.record(Long.MAX_VALUE);
        recorder.record(-5);
        publish();
        assertEquals(2, recorder.count());
        assertClose(LatencyRecorder.HIGHEST_VALUE, counters.value(AgentCounter.PAUSE_NANOS_MAX));
        assertEquals(0, counters.value(AgentCounter.PAUSE_NANOS_P50));
    }

    @Test
    void shouldLoseNothingWhileAnotherThreadPublishes() throws InterruptedException {
        final int count = 200_000;
        final Thread recording = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < count; i++) {
                recorder.record(i);
            }
        });
        while (recording.isAlive()) {
            publish();
        }
        recording.join();
        publish();
        assertEquals(count, recorder.count());
    }

    @Test
    void shouldRecordWithoutAllocating() {
        record(100_000);
        Garbage.assertBelow(10_000, "100,000 values", () -> record(100_000));
    }

    private void record(final int times) {
        for (int i = 0; i < times; i++) {
            recorder.record(i * 100L);
        }
    }

    private void publish() {
        recorder.publish(
                counters, AgentCounter.PAUSE_NANOS_P50, AgentCounter.PAUSE_NANOS_P99, AgentCounter.PAUSE_NANOS_MAX);
    }

    /** Three significant digits. */
    private static void assertClose(final long expected, final long actual) {
        assertTrue(Math.abs(expected - actual) <= expected / 1_000 + 1, () -> actual + " instead of " + expected);
    }
}
