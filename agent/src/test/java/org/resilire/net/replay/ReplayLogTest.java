package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.resilire.net.FrameRing;

class ReplayLogTest {

    private static final int FRAME_BYTES = 1_000;
    private static final int CAPACITY_BYTES = 1 << 16;

    private final UnsafeBuffer frame = new UnsafeBuffer(new byte[ReplayLog.MAX_ENTRY_BYTES + 1]);
    private final ReplayLog log = new ReplayLog(CAPACITY_BYTES);
    private long position;

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void shouldNoticeAGap() {
        assertNull(append(true));
        assertNull(append(false));
        position += FrameRing.recordBytes(FRAME_BYTES);
        assertNotNull(append(false));
        assertEquals(2, log.frames());
    }

    @Test
    void shouldBeginAnywhereButOnlyOnceInASession() {
        position = 5_000_000;
        assertNotNull(append(false), "the first was lost");
        position = 5_000_000;
        assertNull(append(true));
        assertNotNull(append(true));
        log.clear();
        position = 9_000_000;
        assertNull(append(true));
    }

    @Test
    void shouldRefuseMoreThanWasAgreedOnAndHoldAllOfThat() {
        assertNull(append(true));
        // Long enough that entries lie across the end of the memory at every place.
        for (int round = 1; round < 5_000; round++) {
            final long oldest = position - log.windowBytes() + FrameRing.recordBytes(FRAME_BYTES);
            log.committed(round, oldest);
            assertNull(append(false), "round " + round);
        }
        String refusal = null;
        for (int i = 0; i < 20 && refusal == null; i++) {
            refusal = append(false);
        }
        assertNotNull(refusal);
    }

    @Test
    void shouldRefuseWhatNoEntryCanBe() {
        assertNotNull(log.append(ReplayLog.FRAME, 16, true, frame, 0, 0));
        final int tooLong = ReplayLog.MAX_ENTRY_BYTES + 1;
        assertNotNull(log.append(ReplayLog.FRAME, FrameRing.recordBytes(tooLong), true, frame, 0, tooLong));
        assertNotNull(log.append(ReplayLog.EMITTED, FrameRing.recordBytes(71), true, frame, 0, 71));
        assertNotNull(log.append(ReplayLog.FRAME, 10, true, frame, 0, 100), "its beginning would be negative");
        for (final int kind : new int[] {-1, 2, 255}) {
            assertNotNull(log.append(kind, FrameRing.recordBytes(72), true, frame, 0, 72), "kind " + kind);
        }
        assertEquals(0, log.lengthBytes());
    }

    @Test
    void shouldDropWhatACheckpointHasSeenAlsoWhatComesLate() {
        assertNull(append(true));
        final long seen = position + 2 * FrameRing.recordBytes(FRAME_BYTES);
        log.committed(7, seen);
        assertEquals(0, log.frames());
        assertNull(append(false));
        assertNull(append(false));
        assertEquals(0, log.frames(), "the checkpoint was faster than the log");
        assertNull(append(false));
        assertEquals(1, log.frames());
        assertEquals(7, log.committedEpoch());
        assertEquals(position, log.position());
        assertTrue(log.lengthBytes() == FRAME_BYTES);
    }

    private String append(final boolean isFirst) {
        position += FrameRing.recordBytes(FRAME_BYTES);
        return log.append(ReplayLog.FRAME, position, isFirst, frame, 0, FRAME_BYTES);
    }
}
