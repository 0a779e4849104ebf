package org.resilire.testbed.load;

import java.time.Duration;

/**
 * What the clients do.
 *
 * @param kind whose clients they are
 * @param connections to Redis, where one to the web server comes on top, or to the database
 * @param thinkTime of such a client between an answer and the next request
 * @param webThinkTime the same of the web client
 * @param valueBytes length of a value, about
 * @param isResting whether the load starts at rest, its connections open and silent
 */
public record LoadOptions(
        Kind kind, int connections, Duration thinkTime, Duration webThinkTime, int valueBytes, boolean isResting) {

    /** What the clients use. */
    public enum Kind {
        /** Redis and the web server. */
        SERVICES,
        /** PostgreSQL, which only guests with its disk have. */
        DATABASE
    }

    public static LoadOptions defaults() {
        return new LoadOptions(Kind.SERVICES, 4, Duration.ofMillis(5), Duration.ofMillis(250), 64, false);
    }

    /** Clients of PostgreSQL. */
    public static LoadOptions database() {
        return new LoadOptions(Kind.DATABASE, 2, Duration.ofMillis(20), Duration.ZERO, 64, false);
    }

    public LoadOptions withConnections(final int newConnections) {
        return new LoadOptions(kind, newConnections, thinkTime, webThinkTime, valueBytes, isResting);
    }

    public LoadOptions withThinkTime(final Duration newThinkTime) {
        return new LoadOptions(kind, connections, newThinkTime, webThinkTime, valueBytes, isResting);
    }

    public LoadOptions resting() {
        return new LoadOptions(kind, connections, thinkTime, webThinkTime, valueBytes, true);
    }
}
