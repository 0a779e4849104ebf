package org.resilire.backup;

import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.ReplicaVerification;

/**
 * What the primary of a session is to be told: the welcome, acknowledgements of epochs (all and in order) and of input, the result of
 * a comparison, differences of disks. All that must arrive: what Aeron cannot take now is offered again. Signs of life need not, for
 * the next comes soon. Link thread.
 */
final class SessionAnswers {

    private static final int DIFFERENCES_A_MESSAGE = 256;

    private final ReplySender replies;
    private final Replica replica;
    private final EpochCommit commit;
    private final ReplicaDisks disks;
    private final ReplicaVerification verification;
    private final long heartbeatIntervalNanos;
    private final long takeoverLimitNanos;

    private long sessionId;
    private String welcomedDisks = "";
    private boolean isWelcomeDue;
    private long acknowledgedEpoch;
    private long acknowledgedInput;
    private boolean isReportDue;
    private long nextHeartbeatNanos;

    SessionAnswers(
            final ReplySender replies,
            final Replica replica,
            final long heartbeatIntervalNanos,
            final long takeoverLimitNanos) {
        this.replies = replies;
        this.replica = replica;
        this.commit = replica.commit();
        this.disks = replica.disks();
        this.verification = replica.verification();
        this.heartbeatIntervalNanos = heartbeatIntervalNanos;
        this.takeoverLimitNanos = takeoverLimitNanos;
    }

    /**
     * A session begins, of which nothing has been told.
     *
     * @param ownDisks what the welcome says of them
     */
    void begin(final HelloReceived hello, final String ownDisks) {
        sessionId = hello.sessionId();
        welcomedDisks = ownDisks;
        acknowledgedEpoch = hello.firstEpoch() - 1;
        acknowledgedInput = -1;
        isReportDue = false;
    }

    /** The primary greets, for the first time or because the welcome has not arrived. */
    void welcome() {
        isWelcomeDue = true;
    }

    /** A comparison is over. */
    void report() {
        isReportDue = true;
    }

    /** The last epoch that was acknowledged. */
    long acknowledgedEpoch() {
        return acknowledgedEpoch;
    }

    /** Tells what it can; returns how much that was. */
    int doWork(final long nowNanos, final long generation) {
        int work = 0;
        if (isWelcomeDue
                && replies.welcome(
                        sessionId,
                        generation,
                        takeoverLimitNanos,
                        replica.replayLog().windowBytes(),
                        welcomedDisks)) {
            isWelcomeDue = false;
            work++;
        }
        while (acknowledgedEpoch < commit.committedEpoch()
                && replies.acknowledge(sessionId, acknowledgedEpoch + 1, nowNanos)) {
            acknowledgedEpoch++;
            work++;
        }
        final long inputPosition = replica.replayLog().position();
        if (acknowledgedInput < inputPosition && replies.acknowledgeInput(sessionId, inputPosition)) {
            acknowledgedInput = inputPosition;
            work++;
        }
        if (isReportDue && replies.report(sessionId, verification)) {
            isReportDue = false;
            work++;
        }
        if (nowNanos - nextHeartbeatNanos >= 0) {
            nextHeartbeatNanos = nowNanos + heartbeatIntervalNanos;
            replies.beat(sessionId, generation, nowNanos, disks.reportableEpoch());
            work++;
        }
        return work + reportDifferences();
    }

    private int reportDifferences() {
        int work = 0;
        for (int disk = 0; disk < disks.count(); disk++) {
            final int count = Math.min(disks.differing(disk), DIFFERENCES_A_MESSAGE);
            if (count > 0 && replies.differences(sessionId, disks, disk, count)) {
                disks.reported(disk, count);
                work++;
            }
        }
        return work;
    }
}
