package org.resilire.primary;

/**
 * What a primary says about itself and its guest when it opens a session.
 *
 * @param sessionId chosen at random, so that nothing of an earlier session is taken for this one's
 * @param firstEpoch number of the session's first epoch
 */
record Greeting(
        String vmName,
        long generation,
        long sessionId,
        long firstEpoch,
        long ramBytes,
        String qemuVersion,
        String deviceInventory) {}
