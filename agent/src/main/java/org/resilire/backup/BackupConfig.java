package org.resilire.backup;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.failover.DetectorConfig;
import org.resilire.fault.FailurePoints;
import org.resilire.net.GuestNicConfig;
import org.resilire.transport.Endpoint;
import org.resilire.transport.TransportConfig;

/**
 * How to keep a standby.
 *
 * @param stateDirectory survives the agent: the generation
 * @param listen where primaries find this agent
 * @param ramFile replica file; the standby's QEMU has it as {@code mem-path}
 * @param qemuCommand the primary's QEMU command line with this host's paths
 * @param disks copies of the guest's disks, served by this agent
 * @param qmpSocket where the standby's QEMU answers QMP, also once it is the guest
 * @param nic the guest's network after a takeover; empty if it has none
 * @param automatic take over without being told
 * @param endsActive whether this role ends with the takeover, because another one follows it; else it stays and watches the guest
 * @param fenceCommand proves that the primary is stopped; empty if the operator declared that nothing need be proven
 */
public record BackupConfig(
        RunDirectory runDirectory,
        Path stateDirectory,
        Endpoint listen,
        Path ramFile,
        List<String> qemuCommand,
        List<DiskConfig> disks,
        Path qmpSocket,
        Optional<GuestNicConfig> nic,
        boolean automatic,
        boolean endsActive,
        Optional<String> fenceCommand,
        long fenceTimeoutNanos,
        DetectorConfig detector,
        TransportConfig transport,
        FailurePoints failurePoints) {

    public String vmName() {
        return runDirectory.vmName();
    }
}
