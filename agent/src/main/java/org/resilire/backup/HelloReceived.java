package org.resilire.backup;

import java.util.List;
import org.resilire.disk.DiskIdentity;
import org.resilire.transport.Endpoint;

/** A primary's greeting, taken off the wire and not yet judged. */
record HelloReceived(
        int protocolVersion,
        int pageBytes,
        long sessionId,
        long generation,
        long ramBytes,
        long heartbeatIntervalNanos,
        long firstEpoch,
        String vmName,
        Endpoint replyEndpoint,
        String qemuVersion,
        String deviceInventory,
        List<DiskIdentity> disks) {

    /** What a backup of that VM says to a primary of another. */
    String isNotFor(final String backupsVm) {
        return "this backup is for VM '" + backupsVm + "', not for '" + vmName + "'";
    }
}
