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
 * @param lostAnswers to requests on connections that broke
 * @param duplicatedAnswers or parts of them, that nobody waited for
 * @param wrongAnswers that belong to another request
 */
public record LoadSample(
        double seconds,
        long operations,
        long receivedBytes,
        Double latencyMillisP50,
        Double latencyMillisMean,
        Double latencyMillisP99,
        long brokenConnections,
        long lostAnswers,
        long duplicatedAnswers,
        long wrongAnswers) {}
