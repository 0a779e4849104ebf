package org.resilire.primary;

import java.security.SecureRandom;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.resilire.epoch.EpochPipeline;
import org.resilire.failover.ProtectionRecord;
import org.resilire.transport.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens and closes sessions with the backup, and tells it of ends. Checkpoint thread only: the link thread does it. */
final class BackupSessions {

    private static final Logger LOG = LoggerFactory.getLogger(BackupSessions.class);
    private static final long POLL_NANOS = 200_000L;
    private static final long LINK_COMMAND_LIMIT_NANOS = 5_000_000_000L;

    private final PrimaryContext context;
    private final PrimaryLink link;
    private final PrimarySession session;
    private final EpochPipeline pipeline;
    private final PrimaryMetrics metrics;
    private final NanoClock clock;
    private final SecureRandom random = new SecureRandom();

    BackupSessions(
            final PrimaryContext context,
            final PrimaryLink link,
            final PrimarySession session,
            final EpochPipeline pipeline,
            final PrimaryMetrics metrics) {
        this.context = context;
        this.link = link;
        this.session = session;
        this.pipeline = pipeline;
        this.metrics = metrics;
        this.clock = context.clock();
    }

    /** Begins to greet the backup whose turn it is; {@link PrimarySession#phase()} tells what comes of it. */
    void open() {
        final Endpoint backup = context.backups().current();
        metrics.peer(backup.toString());
        link.open(new Greeting(
                backup,
                context.vmName(),
                context.record().generation(),
                random.nextLong(),
                context.outputEpochs().currentEpoch(),
                context.guest().memory().lengthBytes(),
                context.qemuVersion(),
                context.deviceInventory(),
                context.disks().identities()));
    }

    /** Ends whatever session there is and makes the pipe usable again. */
    void close() {
        link.close();
        final long deadlineNanos = clock.nanoTime() + LINK_COMMAND_LIMIT_NANOS;
        while (session.phase() != PrimarySession.Phase.CLOSED) {
            // Looked at again: this thread may have been the late one.
            if (clock.nanoTime() - deadlineNanos > 0 && session.phase() != PrimarySession.Phase.CLOSED) {
                throw new IllegalStateException("the link thread did not end the session in time");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        context.disks().endSession();
        pipeline.restart();
    }

    /**
     * Tells the backup that the guest goes on unprotected, and waits until it knows, so that it does not take over a guest that
     * goes on.
     *
     * @return false if it may not know
     */
    boolean announceEndOfProtection() {
        link.announceEndOfProtection();
        return awaitNoticeReceived();
    }

    /**
     * Tells the backup that the guest is no more, and waits until it knows, so that it does not wait for it.
     *
     * @return false if it may not know
     */
    boolean announceGuestLost() {
        link.announceGuestLost();
        return awaitNoticeReceived();
    }

    private boolean awaitNoticeReceived() {
        final long deadlineNanos = clock.nanoTime() + context.noticeLimitNanos();
        while (!link.isNoticeAnswered() && session.phase() == PrimarySession.Phase.OPEN) {
            if (clock.nanoTime() - deadlineNanos > 0) {
                LOG.warn("the backup did not answer a notice within {} ms", context.noticeLimitNanos() / 1_000_000);
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return link.isNoticeAnswered();
    }

    /** The backup may be about to start the guest: what is held here leaves only once that is out of the question (law 1). */
    void awaitNoTakeover() {
        final ProtectionRecord record = context.record();
        if (!record.wasProtected()) {
            return;
        }
        close();
        LOG.warn(
                "output stays held for {} ms, the time the backup has to take over",
                record.takeoverLimitNanos() / 1_000_000);
        final long deadlineNanos = clock.nanoTime() + record.takeoverLimitNanos();
        while (clock.nanoTime() - deadlineNanos < 0 && !context.guest().hasExited()) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
