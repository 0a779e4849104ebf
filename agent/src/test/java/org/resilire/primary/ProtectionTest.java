package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.epoch.ReplicationMode;
import org.resilire.guest.GuestMemory;
import org.resilire.net.GateMode;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.SyntheticGuest;

/** A primary and a backup over real Aeron, without QEMU. */
@Timeout(120)
class ProtectionTest extends PrimaryAndBackup {

    private void loseBackup() {
        backup.freeze();
        primary.passSilence();
    }

    // ---------------------------------------------------------------- output

    @Test
    void shouldNotReleaseOutputBeforeAck() {
        final AtomicLong checked = new AtomicLong();
        final AtomicReference<String> violation = new AtomicReference<>();
        // On the link thread, just after output was released: the world may have seen it, so the replica must know it.
        primary.onAcknowledged = (epoch, restorable, nowNanos) -> {
            final long released = primary.guest.lastHeldStep(primary.output.acknowledgedEpoch());
            final long safe = SyntheticGuest.stepsIn(backup.ram().segment());
            if (released > safe) {
                violation.compareAndSet(
                        null, "step " + released + " was seen, the replica knows " + safe + " at epoch " + epoch);
            }
            checked.incrementAndGet();
        };
        protect();
        primary.awaitCheckpoints(100);
        assertEquals(null, violation.get());
        assertTrue(primary.guest.lastHeldStep(Long.MAX_VALUE) > 0, "nothing was held");
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(checked.get() > 100);
    }

    @Test
    void shouldWakeWhoeverWaitsForAnAcknowledgementOnceThatCanBeSeen() {
        final AtomicLong woken = new AtomicLong();
        final AtomicLong inVain = new AtomicLong();
        primary.onAcknowledged = new PrimaryLink.AckListener() {
            private long newest;

            @Override
            public void onAcknowledged(final long epoch, final boolean restorable, final long nowNanos) {
                newest = epoch;
            }

            @Override
            public void afterAcknowledged() {
                woken.incrementAndGet();
                inVain.addAndGet(primary.session.acknowledgedEpoch() == newest ? 0 : 1);
            }
        };
        protect();
        primary.awaitCheckpoints(10);
        assertEquals(0, inVain.get());
        assertTrue(woken.get() > 10);
    }

    @Test
    void shouldLoseNothingThatWasSeenWhenThePrimaryDies() {
        protect();
        primary.awaitCheckpoints(20);
        primary.freeze();
        final long seen = Math.max(
                primary.guest.lastPassedStep(), primary.guest.lastHeldStep(primary.output.acknowledgedEpoch()));
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() >= seen, () -> backup.stepsAtStart() + " steps survive, " + seen + " seen");
    }

    @Test
    void shouldHoldOutputUntilTheBackupCanNoLongerTakeOver() {
        backup.fence = "true";
        protect();
        loseBackup();
        primary.awaitState(AgentState.BACKUP_LOST);
        final long limit = primary.record.takeoverLimitNanos();
        assertTrue(limit > TestBackup.DETECT_TIMEOUT_NANOS + TimeUnit.SECONDS.toNanos(10), "detection and fence");
        assertTrue(primary.record.wasProtected());
        primary.clock.pass(limit - TimeUnit.SECONDS.toNanos(5));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertEquals(AgentState.BACKUP_LOST, primary.state());
        primary.clock.pass(TimeUnit.SECONDS.toNanos(5));
        primary.awaitState(AgentState.UNPROTECTED);
        assertEquals(GateMode.PASS, primary.output.mode());
        assertFalse(primary.record.wasProtected());
        assertFalse(primary.guest.isPaused());
    }

    @Test
    void shouldHoldOutputAfterAnAgentThatDidNotEndInOrder() {
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        primary.start();
        primary.awaitState(AgentState.BACKUP_LOST);
        assertEquals(GateMode.HOLD, primary.output.mode());
        primary.clock.pass(TimeUnit.SECONDS.toNanos(90));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
        assertEquals(GateMode.HOLD, primary.output.mode());
        primary.clock.pass(TimeUnit.SECONDS.toNanos(10));
        primary.awaitState(AgentState.UNPROTECTED);
        assertEquals(GateMode.PASS, primary.output.mode());
    }

    @Test
    void shouldResumeAGuestThatADeadAgentLeftPausedOnceTheBackupCanNoLongerTakeOver() {
        primary.guest.pause();
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        primary.start();
        primary.awaitState(AgentState.BACKUP_LOST);
        primary.clock.pass(TimeUnit.SECONDS.toNanos(90));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
        assertTrue(primary.guest.isPaused());
        primary.clock.pass(TimeUnit.SECONDS.toNanos(10));
        primary.awaitState(AgentState.UNPROTECTED);
        assertFalse(primary.guest.isPaused());
    }

    @Test
    void shouldResumeAGuestThatADeadAgentLeftPausedOnceTheBackupAnswers() {
        primary.guest.pause();
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        protect();
        Await.until("the guest goes on", () -> !primary.guest.isPaused());
    }

    @Test
    void shouldResumeAGuestThatADeadAgentLeftPausedOnStoppingOnceTheBackupCanNoLongerTakeOver() {
        primary.guest.pause();
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        primary.start();
        primary.awaitState(AgentState.BACKUP_LOST);
        primary.stop();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
        assertTrue(primary.guest.isPaused());
        Await.until("the primary ends", primary::hasEnded, () -> primary.pass(TestBackup.DETECT_INTERVAL_NANOS));
        assertEquals(ProtectionLoop.End.STOPPED, primary.awaitEnd());
        assertFalse(primary.guest.isPaused());
    }

    @Test
    void shouldNotResumeWithoutABackupAGuestThatADeadAgentHeldForLackOfOne() {
        primary.onBackupLoss = BackupLossPolicy.PAUSE;
        primary.guest.pause();
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        primary.start();
        primary.awaitState(AgentState.BACKUP_LOST);
        primary.clock.pass(TimeUnit.SECONDS.toNanos(100));
        primary.awaitState(AgentState.UNPROTECTED);
        assertTrue(primary.guest.isPaused());
        assertEquals(GateMode.HOLD, primary.output.mode());
    }

    // ---------------------------------------------------------------- the backup goes and comes

    @Test
    void shouldResumeProtectionByItselfWhenTheBackupIsBack() {
        protect();
        backup.freeze();
        primary.passSilence();
        backup.close();
        backup = null;
        primary.clock.pass(TimeUnit.MINUTES.toNanos(5));
        primary.awaitState(AgentState.UNPROTECTED);
        final long stepsUnprotected = primary.guest.steps();
        Await.until("the guest goes on", () -> primary.guest.lastPassedStep() > stepsUnprotected);
        backup = newBackup("another").start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(5);
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(primary.record.wasProtected());
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() > stepsUnprotected);
    }

    @Test
    void shouldFindABackupThatComesLater() {
        primary.start();
        primary.awaitState(AgentState.CONNECTING);
        assertEquals(GateMode.PASS, primary.output.mode());
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
        backup.start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(2);
    }

    @Test
    void shouldPauseTheGuestWithoutABackupIfToldToAndGoOnWithOne() {
        primary.onBackupLoss = BackupLossPolicy.PAUSE;
        protect();
        backup.freeze();
        primary.passSilence();
        backup.close();
        backup = null;
        Await.until(
                "the guest sends something that no backup has",
                () -> primary.guest.lastHeldStep(primary.output.acknowledgedEpoch())
                        < primary.guest.lastHeldStep(Long.MAX_VALUE));
        primary.clock.pass(TimeUnit.MINUTES.toNanos(5));
        primary.awaitState(AgentState.UNPROTECTED);
        Await.until("the guest is paused", primary.guest::isPaused);
        final long held = primary.guest.lastHeldStep(Long.MAX_VALUE);
        final long released = primary.output.acknowledgedEpoch();
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(primary.guest.lastHeldStep(released) < held, "output of the last epoch is held");

        final AtomicReference<String> violation = new AtomicReference<>();
        final AtomicLong synchronisationEpochs = new AtomicLong();
        primary.onAcknowledged = (epoch, restorable, nowNanos) -> {
            if (!restorable) {
                synchronisationEpochs.incrementAndGet();
                if (primary.output.acknowledgedEpoch() != released) {
                    violation.compareAndSet(null, "epoch " + epoch + " of a synchronisation released output");
                }
            }
        };
        backup = newBackup("another").start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(2);
        assertTrue(synchronisationEpochs.get() > 0);
        assertEquals(null, violation.get());
        Await.until("the guest goes on", () -> !primary.guest.isPaused());
        assertTrue(primary.output.acknowledgedEpoch() > released);
    }

    @Test
    void shouldStopForGoodWhenTheBackupRunsTheGuest() {
        protect();
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        primary.thaw();
        primary.passSilence();
        assertEquals(ProtectionLoop.End.SUPERSEDED, primary.awaitEnd());
        assertTrue(primary.guest.isStoppedForGood());
        assertEquals(GateMode.DISCARD, primary.output.mode());
        assertFalse(primary.output.changeMode(GateMode.PASS), "nothing opens the gate again");
        assertEquals(AgentState.SUPERSEDED, primary.state());
    }

    @Test
    void shouldNotProtectAGuestThatIsOlderThanTheBackupsGeneration() {
        backup.adoptGeneration(9);
        backup.start();
        primary.start();
        assertEquals(ProtectionLoop.End.SUPERSEDED, primary.awaitEnd());
    }

    // ---------------------------------------------------------------- ends

    @Test
    void shouldTellTheBackupWhenProtectionEnds() {
        protect();
        primary.stop();
        assertEquals(ProtectionLoop.End.STOPPED, primary.awaitEnd());
        assertEquals(GateMode.PASS, primary.output.mode());
        assertFalse(primary.record.wasProtected());
        backup.awaitState(AgentState.STANDBY_WAITING);
        assertFalse(backup.isGuestRunning());
        assertFalse(primary.guest.isPaused());
    }

    @Test
    void shouldNotReleaseOutputOnStoppingWhileTheBackupMayTakeOver() {
        backup.fence = "true";
        protect();
        backup.freeze();
        primary.stop();
        Await.until(
                "no answer to the notice is waited for any more",
                () -> primary.session.phase() == PrimarySession.Phase.CLOSED,
                () -> primary.pass(TestBackup.DETECT_INTERVAL_NANOS));
        assertFalse(primary.hasEnded(), "the backup did not hear that protection ended");
        assertEquals(GateMode.HOLD, primary.output.mode());
        assertTrue(primary.record.wasProtected());
        Await.until("the primary ends", primary::hasEnded, () -> primary.pass(TestBackup.DETECT_INTERVAL_NANOS));
        assertEquals(ProtectionLoop.End.STOPPED, primary.awaitEnd());
        assertEquals(GateMode.PASS, primary.output.mode());
    }

    @Test
    void shouldNotLeaveHalfASynchronisationToStartFrom() {
        // Five epochs of a synchronisation, of which no more than three are under way when the first is acknowledged.
        final int pages = 5 * 4096;
        try (TestBackup large = new TestBackup(directory.resolve("large-backup"), pages).start();
                TestPrimary stopped = new TestPrimary(directory.resolve("stopped"), pages, large.endpoint)) {
            stopped.onAcknowledged = (epoch, restorable, nowNanos) -> stopped.stop();
            stopped.start();
            assertEquals(ProtectionLoop.End.STOPPED, stopped.awaitEnd());
            assertEquals(0, stopped.guest.savedStates(), "a checkpoint of memory that was never sent whole");
            large.awaitState(AgentState.STANDBY_WAITING);
            assertFalse(large.isGuestRunning());
        }
        primary.start();
    }

    @Test
    void shouldLetTheBackupTakeOverAtOnceWhenTheGuestDies() {
        backup.fence = "echo x >>" + directory.resolve("asked");
        protect();
        primary.guest.kill();
        assertEquals(ProtectionLoop.End.GUEST_LOST, primary.awaitEnd());
        backup.awaitState(AgentState.ACTIVE);
        assertEquals(GateMode.DISCARD, primary.output.mode());
        assertFalse(Files.exists(directory.resolve("asked")), "nothing is left to fence");
    }

    /** Until the primary has seen that it does not end, and waits whether it answers again. */
    private void hangTheGuest() {
        primary.guest.mute(true);
        // Meanwhile the backup has nothing to acknowledge: no more may pass than it is silent anyway.
        for (int i = 0; i < 100 && primary.guest.recoveriesAskedFor() <= 2; i++) {
            primary.pass(TestBackup.DETECT_TIMEOUT_NANOS / 200);
        }
        Await.until("the primary looks whether the guest answers again", () -> primary.guest.recoveriesAskedFor() > 2);
    }

    @Test
    void shouldLeaveTheBackupItsCopyOfAGuestThatHangsBeforeItDies() {
        protect();
        hangTheGuest();
        assertEquals(AgentState.STANDBY_READY, backup.state());
        assertEquals(GateMode.HOLD, primary.output.mode());
        primary.guest.kill();
        assertEquals(ProtectionLoop.End.GUEST_LOST, primary.awaitEnd());
        backup.awaitState(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() >= primary.guest.lastHeldStep(primary.output.acknowledgedEpoch()));
    }

    @Test
    void shouldProtectAGuestAgainThatHungForAWhile() {
        protect();
        final long before = backup.synchronisations();
        hangTheGuest();
        primary.guest.mute(false);
        Await.until("the guest is synchronised anew", () -> backup.synchronisations() > before);
        backup.awaitState(AgentState.STANDBY_READY);
    }

    @Test
    void shouldNotLoseAnEpochThatWasSentWhenTheGuestDied() {
        primary.armed = List.of("guest-kill-before-ack@40");
        backup.start();
        primary.start();
        assertEquals(ProtectionLoop.End.GUEST_LOST, primary.awaitEnd());
        backup.awaitState(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() > 0);
        assertTrue(backup.stepsAtStart() >= primary.guest.lastHeldStep(primary.output.acknowledgedEpoch()));
    }

    // ---------------------------------------------------------------- verification

    @Test
    void shouldFindEqualMemoriesEqual() throws TimeoutException, InterruptedException {
        protect();
        final VerifyRequests.Outcome outcome = primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30));
        assertEquals(PAGES, outcome.comparedPages());
        assertEquals(0, outcome.differingPages());
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldKeepMemoriesEqualInEveryModeAndAfterTheBackupCameBack(final ReplicationMode mode)
            throws TimeoutException, InterruptedException {
        primary.replicationMode = mode;
        primary.encoderThread = mode.sharing();
        protect();
        assertEquals(
                0, primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30)).differingPages());
        loseBackup();
        backup.close();
        backup = null;
        primary.clock.pass(TimeUnit.MINUTES.toNanos(5));
        primary.awaitState(AgentState.UNPROTECTED);
        backup = newBackup("another").start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
        assertEquals(
                0, primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30)).differingPages());
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldKeepMemoriesEqualInEveryModeThoughPagesAreCapturedWhileTheGuestWritesThem(final ReplicationMode mode)
            throws TimeoutException, InterruptedException {
        primary.replicationMode = mode;
        primary.captureAheadPages = 1;
        protect();
        primary.awaitCheckpoints(30);
        final boolean isRemus = mode.identification() == ReplicationMode.Identification.PAGE;
        assertEquals(!isRemus, primary.value(AgentCounter.PAGES_AHEAD_TOTAL) > 0);
        assertEquals(
                0, primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30)).differingPages());
    }

    @Test
    void shouldFindAPageThatTheTrackerMissed() throws TimeoutException, InterruptedException {
        protect();
        // As if a write had been missed: the replica differs in a page that the guest does not write again soon.
        backup.freeze();
        backup.ram().segment().set(ValueLayout.JAVA_BYTE, GuestMemory.PAGE_BYTES - 1, (byte) 0x77);
        backup.thaw();
        final VerifyRequests.Outcome outcome = primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30));
        assertEquals(1, outcome.differingPages());
        assertEquals(List.of(0L), outcome.firstDiffering());
    }
}
