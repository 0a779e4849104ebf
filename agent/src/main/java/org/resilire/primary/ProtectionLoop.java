package org.resilire.primary;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.resilire.control.AgentState;
import org.resilire.epoch.CaptureAbortedException;
import org.resilire.epoch.EpochPipeline;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.Guest;
import org.resilire.guest.GuestException;
import org.resilire.net.GateMode;
import org.resilire.net.InboundLog;
import org.resilire.net.OutputEpochs;
import org.resilire.wire.sbe.EpochKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of a primary, on the checkpoint thread: has a backup found ({@link BackupSearch}), synchronises, makes checkpoints until the
 * backup is lost or left, and begins again.
 */
final class ProtectionLoop {

    /** How a loop can end. */
    enum End {
        /** It was told to stop. */
        STOPPED,
        /** The guest's process is gone. */
        GUEST_LOST,
        /** The backup runs the guest; ours is stopped for good. */
        SUPERSEDED,
        /** The first backup ever asked refused the guest. */
        REFUSED,
        /** The guest was moved to the backup as planned; ours is stopped for good. */
        SWITCHED_OVER
    }

    private static final Logger LOG = LoggerFactory.getLogger(ProtectionLoop.class);

    /** A checkpoint may begin while this many before it are not yet acknowledged. */
    private static final int MAX_UNACKNOWLEDGED = 2;

    private static final long POLL_NANOS = 200_000L;
    private static final long COPY_EPOCH_NANOS = 20_000_000L;

    private final PrimaryContext context;
    private final Guest guest;
    private final BackupCandidates backups;
    private final PrimarySession session;
    private final BackupSessions sessions;
    private final PrimaryLink link;
    private final EpochPipeline pipeline;
    private final Checkpointer checkpointer;
    private final Synchroniser synchroniser;
    private final OutputEpochs outputEpochs;
    private final InboundLog inboundLog;
    private final GuestDisks disks;
    private final ProtectionRecord record;
    private final PrimaryMetrics metrics;
    private final CommitClock commitClock;
    private final Verification verification;
    private final GuestRecovery recovery;
    private final UnprotectedGuest unprotected;
    private final BackupSearch search;
    private final ProtectionSwitch protectionSwitch;
    private final ModeSwitch modeSwitch;
    private final EpochPace pace;
    private final CaptureAhead captureAhead;
    private final SwitchoverRequests switchovers;
    private final ReplaySuspension replaySuspension;
    private final NanoClock clock;

    private volatile boolean stopping;
    private volatile boolean isFinishing;

    ProtectionLoop(
            final PrimaryContext context,
            final PrimaryLink link,
            final PrimarySession session,
            final EpochPipeline pipeline,
            final Checkpointer checkpointer,
            final Synchroniser synchroniser,
            final CommitClock commitClock,
            final PrimaryMetrics metrics) {
        this.context = context;
        this.guest = context.guest();
        this.backups = context.backups();
        this.session = session;
        this.pipeline = pipeline;
        this.checkpointer = checkpointer;
        this.synchroniser = synchroniser;
        this.outputEpochs = context.outputEpochs();
        this.inboundLog = context.inboundLog();
        this.disks = context.disks();
        this.record = context.record();
        this.metrics = metrics;
        this.commitClock = commitClock;
        this.link = link;
        this.sessions = new BackupSessions(context, link, session, pipeline, metrics);
        this.verification = new Verification(session, context.verifyRequests(), metrics, context.verifyEvery());
        this.recovery = new GuestRecovery(guest, context.clock());
        this.unprotected = new UnprotectedGuest(context, metrics);
        this.search =
                new BackupSearch(context, session, sessions, unprotected, metrics, () -> stopping, this::isInterrupted);
        this.switchovers = context.switchovers();
        this.replaySuspension = new ReplaySuspension(context.outputEpochs(), context.inboundLog(), context.clock());
        this.protectionSwitch = context.protectionSwitch();
        this.modeSwitch = context.modeSwitch();
        this.pace = context.pace();
        this.captureAhead = context.captureAhead();
        this.clock = context.clock();
    }

    /** Asks the loop to end after the checkpoint in progress. Any thread. */
    void stop() {
        stopping = true;
    }

    /** Whether the loop has come to its end, and tidies up. Any thread. */
    boolean isFinishing() {
        return isFinishing;
    }

    /** For the thread that publishes them. */
    PrimaryMetrics metrics() {
        return metrics;
    }

    End run() {
        long releaseAtNanos = startingReleaseTime();
        while (true) {
            End end;
            boolean hasLeft = false;
            try {
                end = search.run(releaseAtNanos);
                if (end == null && !isInterrupted()) {
                    end = synchroniseAndProtect();
                }
                if (end == null && !stopping && isInterrupted()) {
                    hasLeft = leaveProtection();
                }
            } catch (final CaptureAbortedException e) {
                LOG.debug("capture aborted", e);
                end = null;
            } catch (final GuestException e) {
                end = onGuestTrouble(e);
            }
            if (end == null && stopping) {
                end = End.STOPPED;
            }
            if (end != null) {
                return finish(end);
            }
            releaseAtNanos = hasLeft ? BackupSearch.NOTHING_HELD : afterLoss();
        }
    }

    /** True if the session is to end: for good, until an operator resumes protection, or for one in another mode. */
    private boolean isInterrupted() {
        return stopping || protectionSwitch.isPauseWanted() || modeSwitch.isChangeWanted();
    }

    /** An agent that died may have left a backup that is just taking over: until that is decided, no output leaves. */
    private long startingReleaseTime() {
        if (!record.wasProtected()) {
            unprotected.goOn();
            return BackupSearch.NOTHING_HELD;
        }
        LOG.warn("an earlier agent protected this guest and did not end in order;"
                + " no output leaves until the backup answers or can no longer take over");
        outputEpochs.changeMode(GateMode.HOLD);
        search.onProtected();
        unprotected.foundAsItIs();
        return clock.nanoTime() + record.takeoverLimitNanos();
    }

    /** Returns null unless the guest has gone to the backup. */
    private End synchroniseAndProtect() {
        if (!unprotected.isHeldPaused()) {
            // The backup gave up what it had when it welcomed us: nothing can take over, so output is free until the
            // first checkpoint.
            unprotected.goOn();
        }
        record.unprotected();
        metrics.state(AgentState.SYNCHRONISING);
        captureAhead.beginSession(modeSwitch.mode().identification() != Identification.PAGE);
        checkpointer.beginSession();
        if (!disks.startSession(session.replicas(), outputEpochs.currentEpoch(), this::isSessionWanted)) {
            checkSession();
            return null;
        }
        copyDisks();
        if (isInterrupted()) {
            return null;
        }
        LOG.info("synchronising {} MiB with the backup", guest.memory().lengthBytes() >> 20);
        synchroniser.synchronise(this::nextSynchronisationEpoch, metrics::synchronisation, this::isInterrupted);
        if (isInterrupted()) {
            // Some pages never left: a checkpoint now would let the backup start from half a guest.
            return null;
        }
        metrics.synchronised();
        // From the first checkpoint on the backup may take over: a successor of this agent must know.
        record.protectedWithin(session.takeoverLimitNanos() + context.detector().timeoutNanos());
        awaitEncoded();
        makeCheckpoint(false);
        awaitAcknowledged(outputEpochs.currentEpoch() - 1);
        if (isInterrupted()) {
            return null;
        }
        search.onProtected();
        metrics.state(AgentState.PROTECTED);
        protectionSwitch.protectionReached();
        pace.beginSession(checkpointer.pausedAtNanos(), session.acknowledgedEpoch());
        LOG.info("protected: checkpoints {}", pace.description());
        while (!isInterrupted()) {
            awaitNext();
            if (isInterrupted()) {
                return null;
            }
            if (switchovers.isWanted()) {
                final End end = switchovers.begin() ? switchOver() : null;
                if (end != null) {
                    return end;
                }
                continue;
            }
            makeNextCheckpoint();
        }
        return null;
    }

    /** Returns null if the guest runs on here, in the same session; throws if the session ends. */
    private End switchOver() {
        final long askedNanos = clock.nanoTime();
        final String host = backups.current().toString();
        LOG.info("moving the guest to {}", host);
        suspendReplay();
        final Switchover switchover = new Switchover(
                context, link, session, pipeline, checkpointer, commitClock, this::greetAgain, () -> stopping);
        final Switchover.Outcome outcome;
        try {
            outcome = switchover.run();
        } catch (final RuntimeException e) {
            replaySuspension.end();
            switchovers.failed(
                    switchover.explanation().isEmpty() ? String.valueOf(e.getMessage()) : switchover.explanation());
            throw e;
        }
        if (outcome == Switchover.Outcome.MOVED) {
            final long movedAtNanos = switchover.movedAtNanos();
            final SwitchoverRequests.Moved moved = new SwitchoverRequests.Moved(
                    host, record.generation(), movedAtNanos - checkpointer.pausedAtNanos(), movedAtNanos - askedNanos);
            LOG.info(
                    "the guest runs on {} as generation {}; it stood still for {} ms at most",
                    host,
                    moved.generation(),
                    moved.pauseNanos() / 1e6);
            switchovers.moved(moved);
            return End.SWITCHED_OVER;
        }
        replaySuspension.end();
        LOG.error("switchover: {}", switchover.explanation());
        metrics.error(switchover.explanation());
        switchovers.failed(switchover.explanation());
        return switch (outcome) {
            case STAYED -> {
                pace.onVerification(
                        checkpointer.pausedAtNanos(), outputEpochs.currentEpoch() - 1, session.acknowledgedEpoch());
                yield null;
            }
            case CEDED -> End.SUPERSEDED;
            // The guest runs; what was held leaves once the backup has welcomed it again, or cannot take over any more.
            default -> throw new CaptureAbortedException();
        };
    }

    /** Where input is replayed: from the next checkpoint on the backup could start the guest without, as it will in the move. */
    private void suspendReplay() {
        try {
            if (replaySuspension.begin()) {
                awaitAcknowledged(outputEpochs.currentEpoch() - 1);
                awaitEncoded();
                makeCheckpoint(false);
                awaitAcknowledged(outputEpochs.currentEpoch() - 1);
            }
        } catch (final RuntimeException e) {
            replaySuspension.end();
            switchovers.failed("the last checkpoints before the move did not succeed; the guest runs on here");
            throw e;
        }
    }

    private void greetAgain() {
        sessions.close();
        sessions.open();
    }

    /** Epochs that carry changes of disks only: copied first, memory would be out of date again before they are. */
    private void copyDisks() {
        while (!disks.isCopied() && !isInterrupted()) {
            context.writer().begin(nextSynchronisationEpoch(), EpochKind.SYNCHRONISATION);
            context.writer().end();
            final long endNanos = clock.nanoTime() + COPY_EPOCH_NANOS;
            while (clock.nanoTime() - endNanos < 0 && !disks.isEpochLarge() && !isInterrupted()) {
                checkSession();
                park(POLL_NANOS);
            }
        }
        awaitEncoded();
    }

    private void makeNextCheckpoint() {
        final long epoch = outputEpochs.currentEpoch();
        final boolean verify = verification.isDue(epoch);
        makeCheckpoint(verify);
        final long startNanos = checkpointer.pausedAtNanos();
        if (verify) {
            pace.onVerification(startNanos, epoch, session.acknowledgedEpoch());
        } else {
            pace.onCheckpoint(startNanos, checkpointer.pauseNanos(), session.acknowledgedEpoch());
        }
    }

    private void makeCheckpoint(final boolean verify) {
        requireEncoded();
        final long epoch = outputEpochs.currentEpoch();
        final long waitedBefore = pipeline.captured().waitedNanos();
        commitClock.started(epoch, clock.nanoTime());
        checkpointer.checkpoint(epoch, verify);
        captureAhead.onCheckpoint(checkpointer.dirtyPages());
        unprotected.ended();
        if (verify) {
            LOG.debug("epoch {} carries page hashes", epoch);
        } else {
            metrics.checkpoint(
                    checkpointer, context.writer(), pipeline.captured().waitedNanos() - waitedBefore);
        }
    }

    /** Otherwise a block that has changed back since would be missed, and nothing would tell. */
    private void requireEncoded() {
        if (!pipeline.isEncoded()) {
            throw new IllegalStateException("an epoch while the one before it is still to be encoded");
        }
    }

    /** Waits until a checkpoint is due and the backup has kept up, or a move is wanted; throws if the session ends meanwhile. */
    private void awaitNext() {
        while (!isInterrupted() && !switchovers.isWanted()) {
            checkSession();
            final boolean keptUp = outputEpochs.currentEpoch() - session.acknowledgedEpoch() <= MAX_UNACKNOWLEDGED
                    && pipeline.isEncoded();
            final long nowNanos = clock.nanoTime();
            if (keptUp && isAheadDue(nowNanos)) {
                requireEncoded();
                captureAhead.started(nowNanos);
                checkpointer.captureAhead(outputEpochs.currentEpoch());
                continue;
            }
            if (pace.isDue(nowNanos, keptUp) || (keptUp && isEpochLarge())) {
                metrics.lateness(pace.latenessNanos(nowNanos), pace.periodNanos());
                return;
            }
            pace.park(nowNanos, keptUp, keptUp ? aheadInNanos(nowNanos) : Long.MAX_VALUE);
        }
    }

    /** Call only when the encoder is through with everything. */
    private boolean isAheadDue(final long nowNanos) {
        captureAhead.encoded(nowNanos);
        return aheadInNanos(nowNanos) <= 0;
    }

    private long aheadInNanos(final long nowNanos) {
        return checkpointer.isAhead(outputEpochs.currentEpoch())
                ? Long.MAX_VALUE
                : captureAhead.dueInNanos(checkpointer.pausedAtNanos() + pace.periodNanos(), nowNanos);
    }

    /** What an epoch may hold of these is bounded: they would have to wait for the checkpoint. */
    private boolean isEpochLarge() {
        return disks.isEpochLarge() || inboundLog.isEpochLarge();
    }

    private void awaitAcknowledged(final long epoch) {
        while (!isInterrupted() && session.acknowledgedEpoch() < epoch) {
            checkSession();
            park(POLL_NANOS);
        }
    }

    /** What changed is told by what was sent, which the encoder brings up to date; throws if the session ends meanwhile. */
    private void awaitEncoded() {
        while (!pipeline.isEncoded()) {
            checkSession();
            park(POLL_NANOS / 4);
        }
    }

    private long nextSynchronisationEpoch() {
        final long epoch = outputEpochs.currentEpoch();
        awaitAcknowledged(epoch - 1 - MAX_UNACKNOWLEDGED);
        awaitEncoded();
        checkSession();
        requireEncoded();
        outputEpochs.beginEpoch(epoch + 1);
        disks.beginEpoch(epoch + 1);
        commitClock.started(epoch, clock.nanoTime());
        return epoch;
    }

    private boolean isSessionWanted() {
        return session.phase() == PrimarySession.Phase.OPEN && !isInterrupted() && !guest.hasExited();
    }

    private void checkSession() {
        if (session.phase() != PrimarySession.Phase.OPEN) {
            throw new CaptureAbortedException();
        }
        if (guest.hasExited()) {
            throw new GuestException("the guest's process ended");
        }
        verification.takeReport();
    }

    private End onGuestTrouble(final GuestException e) {
        if (recovery.exitsSoon()) {
            return End.GUEST_LOST;
        }
        // The guest lives but did not do as asked: without checkpoints it cannot stay protected. Start over with a new
        // session.
        LOG.error("checkpoint failed: {}", e.getMessage());
        metrics.error(e.getMessage());
        if (!recovery.await(() -> stopping)) {
            return End.GUEST_LOST;
        }
        sessions.announceEndOfProtection();
        return null;
    }

    /** Tidies up; returns when the backup can no longer take over, so that held output may leave */
    private long afterLoss() {
        final PrimarySession.Phase phase = session.phase();
        final String reason = switch (phase) {
            case LOST -> session.lossReason();
            case REFUSED -> session.refusal().text();
            default -> "the session ended";
        };
        context.writer().abandon();
        sessions.close();
        if (outputEpochs.mode().isReplay()) {
            // From here on it waits for what becomes of the backup, as in any mode.
            outputEpochs.changeMode(GateMode.HOLD);
        }
        // The last sign of life has left by now: from here on the backup's time runs.
        final long releaseAtNanos = clock.nanoTime()
                + session.takeoverLimitNanos()
                + context.detector().timeoutNanos();
        LOG.error(
                "backup lost: {}; output stays held for {} ms, the time the backup has to take over",
                reason,
                session.takeoverLimitNanos() / 1_000_000);
        metrics.backupLost(reason);
        protectionSwitch.protectionLost();
        return releaseAtNanos;
    }

    /**
     * Ends the session as an operator wants it: for a pause, which lasts until there is another wish, or for another mode.
     *
     * @return false if the backup may take over what it has: then nothing is different from having lost it
     */
    private boolean leaveProtection() {
        final boolean isTakeoverPossible = session.phase() == PrimarySession.Phase.OPEN && record.wasProtected();
        final boolean isBackupInformed = sessions.announceEndOfProtection();
        if (isTakeoverPossible && !isBackupInformed) {
            return false;
        }
        context.writer().abandon();
        sessions.close();
        protectionSwitch.protectionLost();
        if (protectionSwitch.isPauseWanted() || !unprotected.isHeldPaused()) {
            unprotected.goOn();
        }
        if (modeSwitch.isChangeWanted()) {
            LOG.warn("another mode: the guest is UNPROTECTED until its memory is copied anew");
            modeSwitch.adopt(pipeline, context.writer(), metrics);
        }
        if (protectionSwitch.isPauseWanted()) {
            stayPaused(isBackupInformed);
        }
        return true;
    }

    private void stayPaused(final boolean isBackupInformed) {
        metrics.state(AgentState.PAUSED_BY_OPERATOR);
        LOG.warn("protection is paused by an operator: the guest goes on UNPROTECTED until 'resilire resume'");
        while (protectionSwitch.isPauseWanted() && !stopping && !guest.hasExited()) {
            protectionSwitch.paused(isBackupInformed);
            modeSwitch.adopt(pipeline, context.writer(), metrics);
            park(50 * POLL_NANOS);
        }
    }

    private End finish(final End end) {
        isFinishing = true;
        switch (end) {
            case GUEST_LOST -> {
                LOG.error("the guest's process ended; telling the backup");
                outputEpochs.discardForGood();
                sessions.announceGuestLost();
            }
            case SUPERSEDED -> {
                outputEpochs.discardForGood();
                guest.stopForGood();
                record.unprotected();
                metrics.state(AgentState.SUPERSEDED);
            }
            case SWITCHED_OVER -> {
                outputEpochs.discardForGood();
                record.unprotected();
                metrics.state(AgentState.SUPERSEDED);
            }
            case STOPPED -> {
                if (!sessions.announceEndOfProtection()) {
                    sessions.awaitNoTakeover();
                }
                resumeBeforeLeaving();
                record.unprotected();
                unprotected.letOutputPass();
            }
            case REFUSED -> {
                // Nothing was ever protected: there is nothing to undo.
            }
        }
        context.writer().abandon();
        sessions.close();
        if (end != End.SUPERSEDED && end != End.SWITCHED_OVER) {
            metrics.state(AgentState.STOPPED);
        }
        return end;
    }

    /** Nothing can take over any more, so also a pause that a dead agent left ends. */
    private void resumeBeforeLeaving() {
        try {
            guest.resume();
        } catch (final GuestException e) {
            LOG.warn("the guest could not be told to go on, detaching tries again: {}", e.getMessage());
        }
    }

    private static void park(final long nanos) {
        LockSupport.parkNanos(nanos);
    }
}
