package org.resilire.testbed.evaluate.client;

/**
 * A line of JSON from the client process.
 *
 * @param error what went wrong; null if nothing did
 * @param sample of {@link ClientRequest.Command#SAMPLE}
 */
record ClientAnswer(String error, LoadSample sample) {}
