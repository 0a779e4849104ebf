package org.resilire.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FailureDetectorTest {

    private static final long INTERVAL = 20;
    private static final long TIMEOUT = 100;

    private final FailureDetector detector = new FailureDetector(INTERVAL, TIMEOUT);

    /** As it is once there is a checkpoint. */
    private void start(final long nowNanos) {
        detector.start(nowNanos);
        detector.endPatience();
    }

    @Test
    void shouldBePatientUntilThereIsSomethingToTakeOver() {
        detector.start(0);
        for (long now = 1; now < 10 * TIMEOUT; now++) {
            assertFalse(detector.tick(now));
        }
        assertTrue(detector.tick(10 * TIMEOUT));
        detector.start(0);
        assertFalse(detector.tick(10));
        detector.heard();
        detector.endPatience();
        assertFalse(detector.tick(19));
        assertEquals(9, detector.silenceNanos());
        detector.start(1_000);
        for (long now = 1_001; now < 1_500; now++) {
            assertFalse(detector.tick(now), "a new session is a new synchronisation");
        }
    }

    @Test
    void shouldSuspectAfterTheTimeoutAndNotBefore() {
        start(1_000);
        for (long now = 1_001; now < 1_100; now++) {
            assertFalse(detector.tick(now));
        }
        assertTrue(detector.tick(1_100));
        assertEquals(TIMEOUT, detector.silenceNanos());
    }

    @Test
    void shouldNotSuspectAPeerThatIsHeard() {
        start(0);
        for (long now = 1; now < 10_000; now++) {
            if (now % 99 == 0) {
                detector.heard();
            }
            assertFalse(detector.tick(now));
        }
    }

    @Test
    void shouldCountALateTickAsOneInterval() {
        start(0);
        assertFalse(detector.tick(1_000_000));
        assertEquals(INTERVAL, detector.silenceNanos());
        detector.heard();
        for (int i = 1; i <= 4; i++) {
            assertFalse(detector.tick(1_000_000L * (i + 1)));
        }
        assertTrue(detector.tick(9_000_000));
    }

    @Test
    void shouldNotSuspectAnybodyItDoesNotWatch() {
        assertFalse(detector.tick(1_000_000));
        start(0);
        detector.stop();
        for (long now = 0; now < 1_000; now += 10) {
            assertFalse(detector.tick(now));
        }
        start(1_000);
        assertFalse(detector.tick(1_010));
        assertEquals(10, detector.silenceNanos());
    }

    @Test
    void shouldWorkAcrossTheEndOfTheClocksRange() {
        start(Long.MAX_VALUE - 10);
        assertFalse(detector.tick(Long.MIN_VALUE + 5));
        assertEquals(16, detector.silenceNanos());
    }

    @Test
    void shouldRefuseATimeoutThatOneLostHeartbeatWouldReach() {
        assertThrows(IllegalArgumentException.class, () -> new FailureDetector(20, 39));
        assertThrows(IllegalArgumentException.class, () -> new FailureDetector(0, 39));
        assertThrows(IllegalArgumentException.class, () -> new DetectorConfig(20, 39));
        assertThrows(IllegalArgumentException.class, () -> new DetectorConfig(-1, 39));
        assertThrows(IllegalArgumentException.class, () -> new DetectorConfig(Long.MAX_VALUE, 39));
    }
}
