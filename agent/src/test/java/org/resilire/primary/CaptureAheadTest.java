package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CaptureAheadTest {

    private static final long PERIOD_NANOS = 20_000_000;

    private final CaptureAhead ahead = new CaptureAhead(1_000);

    @BeforeEach
    void beginSession() {
        ahead.beginSession(true);
    }

    private static void checkpoints(final CaptureAhead ahead, final int count, final long dirtyPages) {
        for (int i = 0; i < count; i++) {
            ahead.onCheckpoint(dirtyPages);
        }
    }

    /** At the last moment, when it is due if it ever is. */
    private static boolean isDue(final CaptureAhead ahead) {
        return ahead.dueInNanos(PERIOD_NANOS, PERIOD_NANOS) <= 0;
    }

    @Test
    void shouldCaptureAheadOnceEpochsHaveManyPagesAndNoLonger() {
        assertFalse(isDue(ahead));
        checkpoints(ahead, 1, 2_400);
        assertFalse(isDue(ahead), "one large epoch is none to go by");
        checkpoints(ahead, 20, 2_400);
        assertTrue(isDue(ahead));
        checkpoints(ahead, 20, 200);
        assertFalse(isDue(ahead));
    }

    @Test
    void shouldNeverCaptureAheadWithoutALimit() {
        final CaptureAhead never = new CaptureAhead(0);
        never.beginSession(true);
        checkpoints(never, 50, 1L << 20);
        assertFalse(isDue(never));
    }

    @Test
    void shouldNeverCaptureAheadInAModeThatDoesNot() {
        checkpoints(ahead, 50, 1L << 20);
        ahead.beginSession(false);
        assertFalse(isDue(ahead));
        ahead.beginSession(true);
        assertTrue(isDue(ahead));
    }

    @Test
    void shouldBeginEarlyEnoughForWhatItTakes() {
        checkpoints(ahead, 50, 2_400);
        assertEquals(1, ahead.dueInNanos(PERIOD_NANOS, PERIOD_NANOS - 1));
        for (long at = 0; at < 50; at++) {
            ahead.started(at * PERIOD_NANOS);
            ahead.encoded(at * PERIOD_NANOS + 2_000_000);
            ahead.encoded(at * PERIOD_NANOS + 9_000_000);
        }
        assertEquals(3e6, (double) ahead.leadNanos(), 5e4);
        assertTrue(ahead.dueInNanos(PERIOD_NANOS, PERIOD_NANOS - 2_900_000) <= 0);
        assertTrue(ahead.dueInNanos(PERIOD_NANOS, PERIOD_NANOS - 3_100_000) > 0);
    }

    @Test
    void shouldLearnNothingFromACaptureWhoseSessionEnded() {
        ahead.started(0);
        ahead.beginSession(true);
        ahead.encoded(5_000_000_000L);
        assertEquals(0, ahead.leadNanos());
    }
}
