package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.control.ControlException;
import org.resilire.net.GateMode;
import org.resilire.synthetic.Await;

/** An operator pauses protection and resumes it: a primary and a backup over real Aeron, without QEMU. */
@Timeout(120)
class PauseTest extends PrimaryAndBackup {

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private void pause() throws InterruptedException {
        assertTrue(primary.protectionSwitch.wantPause());
        assertTrue(primary.protectionSwitch.awaitPaused(LIMIT_NANOS));
    }

    private void resume() throws InterruptedException {
        primary.protectionSwitch.wantResume();
        assertTrue(primary.protectionSwitch.awaitProtected(LIMIT_NANOS));
    }

    @Test
    void shouldLetTheGuestRunOnUnprotectedWhilePaused() throws InterruptedException {
        protect();
        pause();
        assertEquals(AgentState.PAUSED_BY_OPERATOR, primary.state());
        assertTrue(primary.protectionSwitch.isBackupInformed());
        assertEquals(GateMode.PASS, primary.output.mode());
        assertFalse(primary.record.wasProtected());
        final long steps = primary.guest.steps();
        Await.until("the guest goes on, and its output passes", () -> primary.guest.lastPassedStep() > steps);
        final long checkpoints = primary.guest.savedStates();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
        assertEquals(checkpoints, primary.guest.savedStates(), "a checkpoint although protection is paused");
    }

    @Test
    void shouldNeverTakeOverAStaleReplica() throws InterruptedException {
        protect();
        pause();
        backup.awaitState(AgentState.STANDBY_WAITING);
        primary.freeze();
        backup.clock.pass(TimeUnit.MINUTES.toNanos(10));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        assertEquals(AgentState.STANDBY_WAITING, backup.state());
        // Not even if told to.
        final ExecutionException refused =
                assertThrows(ExecutionException.class, () -> backup.failover().get(30, TimeUnit.SECONDS));
        assertTrue(refused.getMessage().contains("there is no checkpoint to start from"), refused::getMessage);
        assertFalse(backup.isGuestRunning());
    }

    @Test
    void shouldProtectAgainAndLoseNothingWhenResumed() throws InterruptedException, TimeoutException {
        protect();
        pause();
        final long paused = primary.guest.steps();
        Await.until("the guest does something unprotected", () -> primary.guest.steps() > paused + 100);
        resume();
        assertEquals(AgentState.PROTECTED, primary.state());
        primary.awaitCheckpoints(3);
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(primary.record.wasProtected());
        assertEquals(0, primary.verifyRequests.await(LIMIT_NANOS).differingPages());
        primary.freeze();
        final long seen = Math.max(
                primary.guest.lastPassedStep(), primary.guest.lastHeldStep(primary.output.acknowledgedEpoch()));
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() >= seen, () -> backup.stepsAtStart() + " steps survive, " + seen + " seen");
    }

    @Test
    void shouldPauseAndResumeTimeAndAgain() throws InterruptedException {
        protect();
        for (int i = 0; i < 3; i++) {
            pause();
            assertFalse(primary.protectionSwitch.wantPause(), "it was paused already");
            assertTrue(primary.protectionSwitch.awaitPaused(LIMIT_NANOS));
            resume();
            primary.awaitCheckpoints(2);
        }
        final ControlException refused =
                assertThrows(ControlException.class, () -> primary.protectionSwitch.wantResume());
        assertEquals("protection is not paused: there is nothing to resume", refused.getMessage());
    }

    /** The wish of a moment may come and go between two looks of the checkpoint thread. */
    @Test
    void shouldPauseWhenItWasResumedForAMomentOnly() throws InterruptedException {
        protect();
        pause();
        for (int i = 0; i < 20; i++) {
            primary.protectionSwitch.wantResume();
            pause();
        }
        assertEquals(GateMode.PASS, primary.output.mode());
        resume();
    }

    @Test
    void shouldPauseASynchronisationWithoutLeavingHalfOfItToStartFrom() throws InterruptedException {
        final int pages = 5 * 4096;
        try (TestBackup large = new TestBackup(directory.resolve("large-backup"), pages).start();
                TestPrimary big = new TestPrimary(directory.resolve("big"), pages, large.endpoint)) {
            big.onAcknowledged = (epoch, restorable, nowNanos) -> {
                if (!restorable && big.guest.savedStates() == 0) {
                    big.protectionSwitch.wantPause();
                }
            };
            big.start();
            Await.until("the synchronisation is under way", big.protectionSwitch::isPauseWanted);
            assertTrue(big.protectionSwitch.awaitPaused(LIMIT_NANOS));
            big.onAcknowledged = (epoch, restorable, nowNanos) -> {};
            assertEquals(0, big.guest.savedStates(), "a checkpoint of memory that was never sent whole");
            large.awaitState(AgentState.STANDBY_WAITING);
            big.protectionSwitch.wantResume();
            assertTrue(big.protectionSwitch.awaitProtected(LIMIT_NANOS));
        }
        backup.start();
        primary.start();
    }

    @Test
    void shouldPauseWithoutABackupAndNotLookForOne() throws InterruptedException {
        primary.start();
        primary.awaitState(AgentState.CONNECTING);
        pause();
        assertFalse(primary.protectionSwitch.isBackupInformed());
        backup.start();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
        assertEquals(AgentState.PAUSED_BY_OPERATOR, primary.state());
        assertEquals(AgentState.STANDBY_WAITING, backup.state());
        resume();
    }

    @Test
    void shouldHoldOutputAsLongAsABackupThatDoesNotAnswerMayTakeOver() throws InterruptedException {
        backup.fence = "true";
        protect();
        backup.freeze();
        primary.protectionSwitch.wantPause();
        Await.until(
                "no answer to the notice is waited for any more",
                () -> primary.state() == AgentState.BACKUP_LOST,
                primary::passWhileOpen);
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(primary.record.wasProtected());
        assertFalse(primary.protectionSwitch.awaitPaused(TimeUnit.MILLISECONDS.toNanos(30)));
        primary.clock.pass(primary.record.takeoverLimitNanos() + TestBackup.DETECT_TIMEOUT_NANOS);
        assertTrue(primary.protectionSwitch.awaitPaused(LIMIT_NANOS));
        assertFalse(primary.protectionSwitch.isBackupInformed());
        assertEquals(GateMode.PASS, primary.output.mode());
        assertFalse(primary.record.wasProtected());
        backup.thaw();
        resume();
    }

    @Test
    void shouldLetAGuestRunThatWasHeldForLackOfABackup() throws InterruptedException {
        primary.onBackupLoss = BackupLossPolicy.PAUSE;
        protect();
        backup.freeze();
        primary.passSilence();
        primary.clock.pass(TimeUnit.MINUTES.toNanos(5));
        primary.awaitState(AgentState.UNPROTECTED);
        Await.until("the guest is paused", primary.guest::isPaused);
        pause();
        assertFalse(primary.guest.isPaused());
        assertEquals(GateMode.PASS, primary.output.mode());
    }

    @Test
    void shouldEndInOrderWhilePaused() throws InterruptedException {
        protect();
        pause();
        primary.stop();
        assertEquals(ProtectionLoop.End.STOPPED, primary.awaitEnd());
        assertEquals(GateMode.PASS, primary.output.mode());
        assertFalse(primary.guest.isPaused());
    }

    @Test
    void shouldNoticeThatTheGuestEndsWhilePaused() throws InterruptedException {
        protect();
        pause();
        primary.guest.kill();
        assertEquals(ProtectionLoop.End.GUEST_LOST, primary.awaitEnd());
        backup.awaitState(AgentState.STANDBY_WAITING);
        assertFalse(backup.isGuestRunning());
    }

    @Test
    void shouldTellWhoWaitsWhenTheAgentEnds() throws InterruptedException {
        protect();
        pause();
        primary.protectionSwitch.ended("STOPPED");
        assertEquals("STOPPED", primary.protectionSwitch.awaitEnd(0));
        assertTrue(assertThrows(ControlException.class, () -> primary.protectionSwitch.awaitPaused(LIMIT_NANOS))
                .getMessage()
                .contains("STOPPED"));
    }
}
