package org.resilire.primary;

import java.util.List;
import org.resilire.wire.sbe.RefusalReason;

/**
 * What the checkpoint thread and the link thread know in common about the session with the backup. The link thread writes; every
 * field is volatile and none is on a path that is hot enough to mind.
 */
final class PrimarySession {

    enum Phase {
        /** No session, and none wanted. */
        CLOSED,
        /** Saying hello until somebody answers. */
        GREETING,
        OPEN,
        /** The backup said no. */
        REFUSED,
        /** The backup fell silent, or broke the protocol. */
        LOST
    }

    /** What the backup said when it refused. */
    record Refusal(RefusalReason reason, long generation, String text) {}

    /** What the backup found when it compared its replica with the hashes of an epoch. */
    record VerifyReport(long epoch, long comparedPages, long differingPages, List<Long> firstDiffering) {}

    private volatile Phase phase = Phase.CLOSED;
    private volatile long acknowledgedEpoch = -1;
    private volatile long takeoverLimitNanos;
    private volatile Refusal refusal;
    private volatile VerifyReport verifyReport;
    private volatile String lossReason = "";

    Phase phase() {
        return phase;
    }

    long acknowledgedEpoch() {
        return acknowledgedEpoch;
    }

    /** Within this time of losing sight of the primary the backup has taken over, or it never will. Survives the session. */
    long takeoverLimitNanos() {
        return takeoverLimitNanos;
    }

    Refusal refusal() {
        return refusal;
    }

    VerifyReport verifyReport() {
        return verifyReport;
    }

    String lossReason() {
        return lossReason;
    }

    void greeting(final long epochBeforeFirst) {
        acknowledgedEpoch = epochBeforeFirst;
        refusal = null;
        verifyReport = null;
        phase = Phase.GREETING;
    }

    void opened(final long limitNanos) {
        takeoverLimitNanos = limitNanos;
        phase = Phase.OPEN;
    }

    void refused(final Refusal why) {
        refusal = why;
        phase = Phase.REFUSED;
    }

    void lost(final String reason) {
        lossReason = reason;
        phase = Phase.LOST;
    }

    void closed() {
        phase = Phase.CLOSED;
    }

    void acknowledged(final long epoch) {
        acknowledgedEpoch = epoch;
    }

    void verified(final VerifyReport report) {
        verifyReport = report;
    }
}
