package org.resilire.primary;

import org.resilire.transport.Endpoint;

/**
 * What a primary says about itself and its guest when it opens a session.
 *
 * @param backup whom it is said to
 * @param sessionId chosen at random, so that nothing of an earlier session is taken for this one's
 * @param firstEpoch number of the session's first epoch
 * @param disks as {@link org.resilire.disk.DiskIdentity#encode} writes them
 */
record Greeting(
        Endpoint backup,
        String vmName,
        long generation,
        long sessionId,
        long firstEpoch,
        long ramBytes,
        String qemuVersion,
        String deviceInventory,
        String disks) {}
