package org.resilire.primary;

import org.agrona.concurrent.NanoClock;
import org.resilire.epoch.EpochWriter;
import org.resilire.failover.FailureDetector;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.Guest;
import org.resilire.net.InboundLog;
import org.resilire.net.OutputEpochs;

/**
 * What the life of a primary depends on.
 *
 * @param backups whom to greet
 * @param endsWhenRefused whether the refusal of the first backup ever asked is the end; an agent that carries a guest since a
 *     takeover goes on asking
 * @param qemuVersion compared with the standby's
 * @param deviceInventory compared with the standby's
 * @param noticeLimitNanos how long the backup may take to answer a notice of the end
 * @param verifyEvery compare primary and replica at every so many checkpoints; 0 for never
 */
record PrimaryContext(
        String vmName,
        BackupCandidates backups,
        boolean endsWhenRefused,
        Guest guest,
        String qemuVersion,
        String deviceInventory,
        EpochPace pace,
        CaptureAhead captureAhead,
        EpochWriter writer,
        OutputEpochs outputEpochs,
        InboundLog inboundLog,
        GuestDisks disks,
        ProtectionRecord record,
        FailureDetector detector,
        BackupLossPolicy onBackupLoss,
        long noticeLimitNanos,
        VerifyRequests verifyRequests,
        ProtectionSwitch protectionSwitch,
        ModeSwitch modeSwitch,
        SwitchoverRequests switchovers,
        long verifyEvery,
        NanoClock clock) {}
