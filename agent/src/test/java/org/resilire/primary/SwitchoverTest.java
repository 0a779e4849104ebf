package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.control.ControlException;
import org.resilire.net.GateMode;
import org.resilire.synthetic.Await;

/** A guest moves to the backup as planned, over real Aeron and without QEMU; and each way in which that can be broken off. */
@Timeout(120)
class SwitchoverTest extends PrimaryAndBackup {

    @BeforeEach
    void begin() {
        protect();
    }

    private static SwitchoverRequests.Moved result(final CompletableFuture<SwitchoverRequests.Moved> asked) {
        return asked.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static String refusal(final CompletableFuture<SwitchoverRequests.Moved> asked) {
        final CompletionException e = assertThrows(CompletionException.class, () -> result(asked));
        return assertThrows(ControlException.class, () -> {
                    throw e.getCause();
                })
                .getMessage();
    }

    /** Of a move whose end needs time to pass. */
    private String refusalInTime(final CompletableFuture<SwitchoverRequests.Moved> asked) {
        Await.until("the primary has its answer", asked::isDone, () -> primary.pass(TestBackup.DETECT_INTERVAL_NANOS));
        return refusal(asked);
    }

    /** Returns once the backup runs the guest and can tell nobody. */
    private CompletableFuture<SwitchoverRequests.Moved> moveToABackupThatFallsSilent() {
        backup.onResumed(backup::freeze);
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        Await.until("the guest runs on the backup", backup::isGuestRunning);
        return asked;
    }

    private void assertNeverTwo() {
        assertFalse(backup.isGuestRunning() && !primary.guest.isPaused(), "both hosts run the guest");
    }

    private void assertProtectedAgain() {
        Await.until("the guest is protected again", () -> primary.state() == AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
        assertFalse(primary.guest.isStoppedForGood());
        assertFalse(backup.isGuestRunning());
    }

    /** By a backup that has to be greeted again first. */
    private void assertProtectedAgainInTime() {
        Await.until(
                "the guest is protected again",
                () -> primary.state() == AgentState.PROTECTED,
                () -> primary.pass(TestBackup.DETECT_INTERVAL_NANOS / 4));
        assertProtectedAgain();
    }

    @Test
    void shouldMoveTheGuestAsItStandsAndLoseNothing() {
        final SwitchoverRequests.Moved moved = result(primary.move());
        assertEquals(ProtectionLoop.End.SWITCHED_OVER, primary.awaitEnd());
        assertTrue(backup.isGuestRunning());
        assertEquals(primary.guest.steps(), backup.stepsAtStart(), "the guest goes on where it stopped");
        assertTrue(primary.guest.isPaused());
        assertTrue(primary.guest.isStoppedForGood());
        assertEquals(GateMode.DISCARD, primary.output.mode());
        assertEquals(2, moved.generation());
        assertEquals(2, primary.record.generation());
        assertEquals(2, backup.generation());
        assertFalse(primary.record.wasProtected());
        backup.awaitState(AgentState.ACTIVE);
    }

    @Test
    void shouldLetOutWhatTheGuestSentBeforeItMoved() {
        result(primary.move());
        primary.awaitEnd();
        final long lastEpoch = primary.output.currentEpoch() - 1;
        assertEquals(lastEpoch, primary.output.acknowledgedEpoch());
        assertTrue(primary.guest.lastHeldStep(lastEpoch) > 0, "nothing was held");
    }

    @Test
    void shouldGoOnHereInTheSameSessionWhenTheBackupCannotLoad() {
        backup.breakStandbys(1);
        final long sessions = backup.synchronisations();
        final String refusal = refusal(primary.move());
        assertTrue(refusal.contains("could not load"), refusal);
        primary.awaitCheckpoints(5);
        assertEquals(AgentState.PROTECTED, primary.state());
        assertEquals(sessions, backup.synchronisations());
        assertFalse(backup.isGuestRunning());
        assertEquals(1, primary.record.generation());
        // And the next attempt succeeds, on the standby that has replaced the first.
        result(primary.move());
        assertEquals(primary.guest.steps(), backup.stepsAtStart());
    }

    @Test
    void shouldTryAnotherStandbyWhenTheFirstDoesNotGoOn() {
        backup.breakResuming(1);
        result(primary.move());
        assertEquals(primary.guest.steps(), backup.stepsAtStart());
        assertEquals(2, backup.generation());
    }

    @Test
    void shouldTakeTheGuestBackWhenTheBackupCannotLetItRun() {
        backup.breakResuming(3);
        final String refusal = refusal(primary.move());
        assertTrue(refusal.contains("runs on here"), refusal);
        assertProtectedAgain();
        assertEquals(2, primary.record.generation());
        assertEquals(2, backup.generation());
    }

    @Test
    void shouldResumeTheGuestAndHoldItsOutputWhenTheBackupIsLostBeforeItIsReady() {
        final CountDownLatch frozen = new CountDownLatch(1);
        backup.onLoading(() -> {
            backup.freeze();
            frozen.countDown();
        });
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        // In any pause the guest stands still: that alone does not tell that the move is under way.
        Await.until("the backup loads the guest's state", () -> frozen.getCount() == 0);
        assertTrue(primary.guest.isPaused());
        primary.passSilence();
        final String refusal = refusal(asked);
        assertTrue(refusal.contains("runs on here"), refusal);
        Await.until("the guest runs", () -> !primary.guest.isPaused());
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertEquals(AgentState.BACKUP_LOST, primary.state());
        backup.thaw();
        assertProtectedAgainInTime();
    }

    @Test
    void shouldAskWhoseTheGuestIsWhenTheLinkFailsOnceItWasGivenAwayAndStayStopped() {
        final CompletableFuture<SwitchoverRequests.Moved> asked = moveToABackupThatFallsSilent();
        Await.until("the backup is gone", () -> primary.session.phase() != PrimarySession.Phase.OPEN, () -> {
            primary.pass(TestBackup.DETECT_INTERVAL_NANOS);
            assertNeverTwo();
        });
        for (int i = 0; i < 50; i++) {
            primary.pass(TestBackup.DETECT_INTERVAL_NANOS);
            assertTrue(primary.guest.isPaused(), "nobody has said that the backup does not run it");
        }
        assertFalse(asked.isDone());
        backup.thaw();
        assertTrue(refusalInTime(asked).contains("the backup runs the guest"));
        assertEquals(ProtectionLoop.End.SUPERSEDED, primary.awaitEnd());
        assertNeverTwo();
        assertTrue(backup.isGuestRunning());
    }

    @Test
    void shouldTakeTheGuestBackWhenTheBackupDiedBeforeItHeard() {
        primary.guest.onStoppedForGood(backup::freeze);
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        Await.until("the guest was given away", primary.guest::isStoppedForGood);
        primary.guest.onStoppedForGood(() -> {});
        backup.die();
        backup = newBackup("backup, started again").start();
        final String refusal = refusalInTime(asked);
        assertTrue(refusal.contains("runs on here"), refusal);
        assertProtectedAgainInTime();
    }

    @Test
    void shouldLeaveTheGuestPausedWhenToldToEndBeforeAnybodyKnowsWhoseItIs() {
        final CompletableFuture<SwitchoverRequests.Moved> asked = moveToABackupThatFallsSilent();
        primary.stop();
        assertEquals(ProtectionLoop.End.SUPERSEDED, primary.awaitEnd());
        assertTrue(refusal(asked).contains("cont"));
        assertTrue(primary.guest.isPaused());
        assertNeverTwo();
    }

    @Test
    void shouldRefuseToMoveAGuestThatIsNotProtected() {
        backup.freeze();
        primary.passSilence();
        assertTrue(refusal(primary.move()).contains("not protected"));
        backup.thaw();
    }
}
