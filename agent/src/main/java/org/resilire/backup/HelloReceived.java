package org.resilire.backup;

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
        String deviceInventory) {}
