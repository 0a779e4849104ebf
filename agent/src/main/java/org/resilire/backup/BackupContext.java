package org.resilire.backup;

import java.util.Optional;
import org.agrona.concurrent.NanoClock;
import org.resilire.failover.Fence;
import org.resilire.failover.ProtectionRecord;
import org.resilire.fault.FailurePoints;
import org.resilire.guest.qemu.StandbyQemuConfig;

/**
 * What the life of a backup depends on.
 *
 * @param automatic take over without being told
 * @param endsActive whether this role ends with the takeover, because another one follows it
 * @param fence proves that the primary is stopped; empty if the operator declared that nothing need be proven
 * @param detectIntervalNanos how often this side gives a sign of life
 * @param detectTimeoutNanos silence of the primary after which it counts as failed
 */
record BackupContext(
        String vmName,
        StandbyQemuConfig qemu,
        ProtectionRecord record,
        boolean automatic,
        boolean endsActive,
        Optional<Fence> fence,
        long detectIntervalNanos,
        long detectTimeoutNanos,
        FailurePoints failurePoints,
        NanoClock clock) {

    /** Room for a round of signs of life and for clocks that do not run equally fast. */
    private static final long SLACK_NANOS = 100_000_000L;

    /** In detection time-outs: a backup that was starved for a while should still be allowed to do what it is there for. */
    private static final long PATIENCE = 4;

    /**
     * From the primary's last exchange with this side to its being proven stopped (or, without a fence, to the guest's start
     * here), at most: what a primary that lost its backup waits before output leaves again.
     */
    long takeoverLimitNanos() {
        return automatic ? (1 + PATIENCE) * detectTimeoutNanos + fenceTimeoutNanos() + SLACK_NANOS : 0;
    }

    /** 0 without a fence. */
    long fenceTimeoutNanos() {
        return fence.map(Fence::timeoutNanos).orElse(0L);
    }
}
