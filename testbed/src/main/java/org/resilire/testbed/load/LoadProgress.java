package org.resilire.testbed.load;

/**
 * How the load is doing.
 *
 * @param acknowledgedOperations so far, to Redis and the web server
 * @param connections that were opened
 * @param brokenConnections of these, that broke
 * @param oldestAcknowledgedNs the connection that has waited longest for an answer got its last one then; broken ones aside
 * @param failures why connections broke; empty if none did
 */
public record LoadProgress(
        long acknowledgedOperations,
        int connections,
        int brokenConnections,
        long oldestAcknowledgedNs,
        String failures) {}
