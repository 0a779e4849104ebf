package org.resilire.testbed.evaluate.client;

/**
 * What a load did since the last sample.
 *
 * @param seconds since then
 * @param operations answered
 * @param receivedBytes of answers
 * @param latencyMillisP50 null if nothing was answered
 * @param latencyMillisMean null if nothing was answered
 * @param latencyMillisP99 null if nothing was answered
 * @param brokenConnections that had to be made anew
 */
public record LoadSample(
        double seconds,
        long operations,
        long receivedBytes,
        Double latencyMillisP50,
        Double latencyMillisMean,
        Double latencyMillisP99,
        long brokenConnections) {}
