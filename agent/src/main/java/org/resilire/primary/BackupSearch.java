package org.resilire.primary;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;
import org.resilire.control.AgentState;
import org.resilire.guest.Guest;
import org.resilire.primary.ProtectionLoop.End;
import org.resilire.wire.sbe.RefusalReason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for a backup: greets the one there is, or one of several after the other, while the guest goes on without. What is held of its
 * output waits until the backup that was lost has answered, or cannot take over any more. Checkpoint thread only.
 */
final class BackupSearch {

    /** No backup can take over. */
    static final long NOTHING_HELD = Long.MIN_VALUE;

    private static final Logger LOG = LoggerFactory.getLogger(BackupSearch.class);
    private static final long POLL_NANOS = 200_000L;
    private static final long REFUSED_RETRY_NANOS = 2_000_000_000L;

    /** Several greetings, before another candidate gets its turn. */
    private static final long CANDIDATE_NANOS = 1_000_000_000L;

    private final PrimaryContext context;
    private final Guest guest;
    private final BackupCandidates backups;
    private final PrimarySession session;
    private final BackupSessions sessions;
    private final UnprotectedGuest unprotected;
    private final PrimaryMetrics metrics;
    private final BooleanSupplier stopping;
    private final BooleanSupplier interrupted;
    private final NanoClock clock;
    private boolean everProtected;

    /**
     * Makes a search; {@link #run} does it, as often as a backup is lost.
     *
     * @param stopping whether the agent is to end
     * @param interrupted whether no session is wanted as things are
     */
    BackupSearch(
            final PrimaryContext context,
            final PrimarySession session,
            final BackupSessions sessions,
            final UnprotectedGuest unprotected,
            final PrimaryMetrics metrics,
            final BooleanSupplier stopping,
            final BooleanSupplier interrupted) {
        this.context = context;
        this.guest = context.guest();
        this.backups = context.backups();
        this.session = session;
        this.sessions = sessions;
        this.unprotected = unprotected;
        this.metrics = metrics;
        this.stopping = stopping;
        this.interrupted = interrupted;
        this.clock = context.clock();
    }

    /** The guest is, or was, protected: from here on a refusal is no reason to end. */
    void onProtected() {
        everProtected = true;
    }

    /**
     * Greets until a session is open.
     *
     * @param releaseAt when no backup can take over any more, so that what is held may leave; {@link #NOTHING_HELD} if that is so
     * @return null if a session is open, or none is wanted and no backup can take over; else why the agent is to end
     */
    End run(final long releaseAt) {
        long releaseAtNanos = releaseAt;
        metrics.state(releaseAtNanos == NOTHING_HELD ? AgentState.CONNECTING : AgentState.BACKUP_LOST);
        if (releaseAtNanos != NOTHING_HELD && backups.isHolderUnknown()) {
            awaitRelease(releaseAtNanos);
            releaseAtNanos = NOTHING_HELD;
        }
        if (guest.hasExited()) {
            // A backup that is greeted for it would wait for its memory.
            return End.GUEST_LOST;
        }
        sessions.open();
        long nextCandidateNanos = clock.nanoTime() + CANDIDATE_NANOS;
        while (!stopping.getAsBoolean()) {
            if (guest.hasExited()) {
                return End.GUEST_LOST;
            }
            if (releaseAtNanos == NOTHING_HELD && interrupted.getAsBoolean()) {
                return null;
            }
            switch (session.phase()) {
                case OPEN -> {
                    backups.opened();
                    return null;
                }
                case REFUSED -> {
                    final End end = onRefused();
                    if (end != null) {
                        return end;
                    }
                    openNextSession(releaseAtNanos);
                    nextCandidateNanos = clock.nanoTime() + CANDIDATE_NANOS;
                }
                case LOST, CLOSED -> {
                    sessions.close();
                    sessions.open();
                }
                case GREETING -> {
                    LockSupport.parkNanos(POLL_NANOS);
                    if (backups.hasOthers() && clock.nanoTime() - nextCandidateNanos > 0) {
                        nextCandidateNanos = clock.nanoTime() + CANDIDATE_NANOS;
                        if (session.phase() == PrimarySession.Phase.GREETING && releaseAtNanos == NOTHING_HELD) {
                            sessions.close();
                            openNextSession(releaseAtNanos);
                        }
                    }
                }
            }
            if (releaseAtNanos != NOTHING_HELD && clock.nanoTime() >= releaseAtNanos) {
                releaseAtNanos = NOTHING_HELD;
                unprotected.onBackupLost();
            }
        }
        return End.STOPPED;
    }

    /** One of several backups may be taking over, and nobody knows which: asking another could make two guests. */
    private void awaitRelease(final long releaseAtNanos) {
        while (!stopping.getAsBoolean() && !guest.hasExited()) {
            if (clock.nanoTime() - releaseAtNanos >= 0) {
                unprotected.onBackupLost();
                return;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** The next candidate's turn, unless one that was lost may still take over. */
    private void openNextSession(final long releaseAtNanos) {
        if (releaseAtNanos == NOTHING_HELD && backups.hasOthers()) {
            backups.next();
        }
        sessions.open();
    }

    private End onRefused() {
        final PrimarySession.Refusal refusal = session.refusal();
        metrics.error(refusal.text());
        if (refusal.reason() == RefusalReason.SUPERSEDED) {
            LOG.error("the backup runs this guest as generation {}: {}", refusal.generation(), refusal.text());
            return End.SUPERSEDED;
        }
        final boolean passing = refusal.reason() == RefusalReason.BUSY
                || refusal.reason() == RefusalReason.STANDBY_FAILED
                || refusal.reason() == RefusalReason.DISK_FAILED;
        if (!everProtected && !passing && context.endsWhenRefused() && !backups.hasOthers()) {
            LOG.error("the backup refused: {}", refusal.text());
            return End.REFUSED;
        }
        LOG.warn("the backup refused: {}; trying again", refusal.text());
        sessions.close();
        final long retryAtNanos = clock.nanoTime() + REFUSED_RETRY_NANOS;
        while (!stopping.getAsBoolean() && !guest.hasExited() && clock.nanoTime() < retryAtNanos) {
            LockSupport.parkNanos(10 * POLL_NANOS);
        }
        return null;
    }
}
