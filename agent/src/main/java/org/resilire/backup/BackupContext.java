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
 * @param fence proves that the primary is stopped; empty if the operator declared that nothing need be proven
 * @param detectIntervalNanos how often this side gives a sign of life
 * @param detectTimeoutNanos silence of the primary after which it counts as failed
 */
record BackupContext(
        String vmName,
        StandbyQemuConfig qemu,
        ProtectionRecord record,
        boolean automatic,
        Optional<Fence> fence,
        long detectIntervalNanos,
        long detectTimeoutNanos,
        FailurePoints failurePoints,
        NanoClock clock) {

    /** Room for the duty cycle and for clocks that do not run equally fast. */
    private static final long SLACK_NANOS = 50_000_000L;

    /** From losing sight of the primary to having proven it stopped, at most: what a primary that lost its backup must wait. */
    long takeoverLimitNanos() {
        return automatic ? detectTimeoutNanos + fence.map(Fence::timeoutNanos).orElse(0L) + SLACK_NANOS : 0;
    }
}
