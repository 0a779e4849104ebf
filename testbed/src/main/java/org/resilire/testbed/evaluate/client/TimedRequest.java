package org.resilire.testbed.evaluate.client;

/**
 * A request that was answered.
 *
 * @param sentNs on CLOCK_MONOTONIC, which all processes of a machine share
 * @param latencyNanos until the whole answer was there
 */
public record TimedRequest(long sentNs, long latencyNanos) {}
