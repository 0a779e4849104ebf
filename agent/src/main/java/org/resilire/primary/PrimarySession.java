package org.resilire.primary;

import java.util.List;
import org.resilire.disk.DiskIdentity;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverStage;

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

    /** What the backup said about a planned move of the guest. */
    record SwitchoverReply(SwitchoverStage stage, long generation, String text) {}

    private volatile SwitchoverReply switchoverReply;
    private volatile Phase phase = Phase.CLOSED;
    private volatile long acknowledgedEpoch = -1;
    private volatile long takeoverLimitNanos;
    private volatile long appliedDiskEpoch = -1;
    private volatile List<DiskIdentity> replicas = List.of();
    private volatile DiskCopies diskCopies;
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

    /** Up to here everything is on the backup's disks, and what was found to differ there was told. */
    long appliedDiskEpoch() {
        return appliedDiskEpoch;
    }

    /** The backup's disks, as it described them when it opened the session. */
    List<DiskIdentity> replicas() {
        return replicas;
    }

    /** Who is to hear of differences; null if nobody. */
    DiskCopies diskCopies() {
        return diskCopies;
    }

    Refusal refusal() {
        return refusal;
    }

    VerifyReport verifyReport() {
        return verifyReport;
    }

    /** Null until the backup has answered the last request. */
    SwitchoverReply switchoverReply() {
        return switchoverReply;
    }

    String lossReason() {
        return lossReason;
    }

    void greeting(final long epochBeforeFirst) {
        acknowledgedEpoch = epochBeforeFirst;
        appliedDiskEpoch = epochBeforeFirst;
        refusal = null;
        verifyReport = null;
        phase = Phase.GREETING;
    }

    void opened(final long limitNanos, final List<DiskIdentity> disks) {
        takeoverLimitNanos = limitNanos;
        replicas = disks;
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

    void disksApplied(final long epoch) {
        appliedDiskEpoch = epoch;
    }

    /** Written by the checkpoint thread. */
    void copying(final DiskCopies copies) {
        diskCopies = copies;
    }

    void switchoverAnswered(final SwitchoverReply reply) {
        switchoverReply = reply;
    }

    void verified(final VerifyReport report) {
        verifyReport = report;
    }
}
