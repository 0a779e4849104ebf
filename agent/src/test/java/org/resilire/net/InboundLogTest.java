package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.MutableDirectBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the log of replayed input says of itself. */
class InboundLogTest {

    private static final int FRAME_BYTES = 1_000;
    private static final long FRAMES_IN_A_QUARTER = 100;
    private static final long WINDOW_BYTES = 4 * FRAMES_IN_A_QUARTER * FrameRing.recordBytes(FRAME_BYTES);

    private static final InboundLog.Reader NOBODY = new InboundLog.Reader() {
        @Override
        public void onFrame(
                final long epoch, final MutableDirectBuffer frames, final int offset, final int lengthBytes) {}

        @Override
        public boolean onEntry(
                final boolean isEmitted,
                final long position,
                final MutableDirectBuffer entries,
                final int offset,
                final int lengthBytes) {
            return true;
        }
    };

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment frame = arena.allocate(FRAME_BYTES);
    private final OutputEpochs epochs = new OutputEpochs(GateMode.LOGGED);
    private final InboundLog log = new InboundLog(epochs, InboundLog.DEFAULT_CAPACITY_BYTES);

    @AfterEach
    void close() {
        log.close();
        epochs.close();
        arena.close();
    }

    @Test
    void shouldAskForACheckpointOnceAnEpochHasTakenAQuarterOfTheLog() {
        log.open(WINDOW_BYTES);
        log.begin();
        log.markBoundary(5);
        addFrames(FRAMES_IN_A_QUARTER);
        assertFalse(log.isEpochLarge());
        addFrames(1);
        assertTrue(log.isEpochLarge());

        // Though nothing of it has been committed yet, and the guest has taken none of it.
        log.markBoundary(6);
        assertFalse(log.isEpochLarge());
        addFrames(FRAMES_IN_A_QUARTER + 1);
        assertTrue(log.isEpochLarge());
        log.endSession();
        assertFalse(log.isEpochLarge());
    }

    private void addFrames(final long count) {
        for (long i = 0; i < count; i++) {
            assertTrue(log.add(frame, 0, FRAME_BYTES));
            assertEquals(1, log.drain(NOBODY, 1));
        }
    }
}
