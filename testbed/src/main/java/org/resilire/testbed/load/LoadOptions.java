package org.resilire.testbed.load;

import java.time.Duration;

/**
 * What the clients do.
 *
 * @param connections to Redis; one to the web server comes on top
 * @param thinkTime of a Redis client between an answer and the next request
 * @param webThinkTime the same of the web client
 * @param valueBytes length of a value, about
 * @param isResting whether the load starts at rest, its connections open and silent
 */
public record LoadOptions(
        int connections, Duration thinkTime, Duration webThinkTime, int valueBytes, boolean isResting) {

    public static LoadOptions defaults() {
        return new LoadOptions(4, Duration.ofMillis(5), Duration.ofMillis(250), 64, false);
    }

    public LoadOptions withConnections(final int newConnections) {
        return new LoadOptions(newConnections, thinkTime, webThinkTime, valueBytes, isResting);
    }

    public LoadOptions withThinkTime(final Duration newThinkTime) {
        return new LoadOptions(connections, newThinkTime, webThinkTime, valueBytes, isResting);
    }

    public LoadOptions resting() {
        return new LoadOptions(connections, thinkTime, webThinkTime, valueBytes, true);
    }
}
