package org.resilire.primary;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.ReplicationMode;
import org.resilire.failover.DetectorConfig;
import org.resilire.fault.FailurePoints;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.net.GateMode;
import org.resilire.net.GuestNicConfig;
import org.resilire.transport.Endpoint;
import org.resilire.transport.TransportConfig;

/**
 * How to protect a guest.
 *
 * @param qmpSocket QMP socket of the running guest
 * @param ramFile file that backs the guest's RAM
 * @param backups where backups' agents may listen; asked in turn
 * @param endsGuestWhenMoved whether its QEMU is ended once the guest was moved to a backup, because a standby follows here; else
 *     it stays, paused
 * @param disks of the guest, served by this agent
 * @param diskCopyBytesPerSecond at most, while disks are copied to the backup
 * @param nic the guest's network; empty if it has none
 * @param tracker which mechanism finds written pages
 * @param scanThreads that look for them in a pause, the checkpoint's own included
 * @param captureAheadPages epochs that are predicted to have so many are captured ahead of their pause; 0 for never
 * @param policy when checkpoints are made
 * @param mode what of a written page travels
 * @param release when output leaves while the guest is protected: held for its epoch, or one of input replay
 * @param encoderThread whether encoding gets a thread of its own, or shares that of the link
 * @param verifyEvery compare primary and replica at every so many checkpoints; 0 for never
 * @param stateDirectory survives the agent: generation and whether the guest was protected
 */
public record PrimaryConfig(
        RunDirectory runDirectory,
        Path stateDirectory,
        Path qmpSocket,
        Path ramFile,
        List<Endpoint> backups,
        boolean endsGuestWhenMoved,
        List<DiskConfig> disks,
        long diskCopyBytesPerSecond,
        Optional<GuestNicConfig> nic,
        TrackerChoice tracker,
        int scanThreads,
        long captureAheadPages,
        ReplicationMode mode,
        GateMode release,
        boolean encoderThread,
        PolicySettings policy,
        DetectorConfig detector,
        BackupLossPolicy onBackupLoss,
        long verifyEvery,
        TransportConfig transport,
        FailurePoints failurePoints) {

    public PrimaryConfig {
        backups = List.copyOf(backups);
        if (backups.isEmpty()) {
            throw new IllegalArgumentException("a primary needs a place where a backup may listen");
        }
    }

    public String vmName() {
        return runDirectory.vmName();
    }
}
