package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.net.GateMode;
import org.resilire.synthetic.Await;

/** A primary that replays input and its backup, over a real link; the test is the network thread. */
class InputReplayProtectionTest {

    private static final int PAGES = 64;
    private static final int FRAME_BYTES = 300;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment frame = arena.allocate(FRAME_BYTES);
    private TestBackup backup;
    private TestPrimary primary;

    @BeforeEach
    void create() {
        backup = new TestBackup(directory.resolve("b"), PAGES);
        primary = new TestPrimary(directory.resolve("a"), PAGES, backup.endpoint);
        primary.replaysInput = true;
    }

    @AfterEach
    void close() {
        primary.close();
        backup.close();
        arena.close();
    }

    @Test
    void shouldHaveEveryFrameOnTheBackupAndSaySo() {
        protect();
        assertEquals(GateMode.LOGGED, primary.output.mode());
        for (int i = 0; i < 500; i++) {
            arrive();
        }
        final long position = primary.inboundLog.position();
        Await.until("all is acknowledged", () -> primary.inboundLog.acknowledged() == position);
        assertEquals(position, backup.inputPosition());
        assertEquals(500, backup.inputFrames(), "no checkpoint has seen any");
    }

    @Test
    void shouldForgetWhatACheckpointHasSeen() {
        protect();
        for (int i = 0; i < 50; i++) {
            arrive();
        }
        primary.inboundLog.consumed(primary.inboundLog.position());
        arrive();
        primary.awaitCheckpoints(4);
        Await.until("the rest is there", () -> backup.inputPosition() == primary.inboundLog.position());
        assertEquals(1, backup.inputFrames());
        assertTrue(primary.inboundLog.replayBytes() < 2 * FRAME_BYTES, "the primary has room again");
    }

    @Test
    void shouldHoldOutputOnceTheBackupIsLostAndLogAnewWhenItIsBack() {
        protect();
        arrive();
        backup.freeze();
        primary.passSilence();
        primary.awaitState(AgentState.BACKUP_LOST);
        assertEquals(GateMode.HOLD, primary.output.mode());
        backup.thaw();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
        Await.until("input is logged again", primary.inboundLog::isLogging);
        arrive();
        Await.until("it is acknowledged", () -> primary.inboundLog.acknowledged() == primary.inboundLog.position());
        assertEquals(GateMode.LOGGED, primary.output.mode());
        assertEquals(1, backup.inputFrames(), "what was logged before is in the checkpoints of this session");
    }

    @Test
    void shouldMoveAGuestWithNothingToReplay() {
        protect();
        for (int i = 0; i < 50; i++) {
            arrive();
        }
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        Await.until("an answer", asked::isDone);
        asked.join();
        assertEquals(ProtectionLoop.End.SWITCHED_OVER, primary.awaitEnd());
        assertEquals(primary.guest.steps(), backup.stepsAtStart());
        assertFalse(backup.replaysInput(), "the guest has not gone back");
    }

    @Test
    void shouldReplayInputAgainWhenTheGuestWasNotMoved() {
        protect();
        arrive();
        backup.breakStandbys(1);
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        Await.until("an answer", asked::isDone);
        assertTrue(asked.isCompletedExceptionally());
        primary.awaitCheckpoints(3);
        assertEquals(GateMode.LOGGED, primary.output.mode());
        assertTrue(primary.inboundLog.isLogging());
        assertTrue(backup.replaysInput());
        arrive();
        Await.until("it is acknowledged", () -> primary.inboundLog.acknowledged() == primary.inboundLog.position());
        assertEquals(1, backup.synchronisations(), "the session is still the first");
    }

    private void protect() {
        backup.start();
        primary.start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
    }

    /** As the network thread does, once there is room for a frame. */
    private void arrive() {
        Await.until("the log has room", () -> primary.inboundLog.add(frame, 0, FRAME_BYTES));
    }
}
