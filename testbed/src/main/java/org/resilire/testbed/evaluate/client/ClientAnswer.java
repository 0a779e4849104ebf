package org.resilire.testbed.evaluate.client;

import java.util.List;

/**
 * A line of JSON from the client process.
 *
 * @param error what went wrong; null if nothing did
 * @param sample of {@link ClientRequest.Command#SAMPLE}
 * @param requests of {@link ClientRequest.Command#REQUESTS}
 */
record ClientAnswer(String error, LoadSample sample, List<TimedRequest> requests) {

    static ClientAnswer done() {
        return new ClientAnswer(null, null, null);
    }

    static ClientAnswer failed(final String error) {
        return new ClientAnswer(error, null, null);
    }
}
