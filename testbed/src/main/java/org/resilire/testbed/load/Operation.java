package org.resilire.testbed.load;

/**
 * An operation that was acknowledged.
 *
 * @param kind what was asked
 * @param sequence its number on its connection, by kind, from 1
 * @param sentNs before it was sent; CLOCK_MONOTONIC
 * @param acknowledgedNs after its answer had come
 * @param value what was set, or what the counter was answered to be
 */
record Operation(Kind kind, long sequence, long sentNs, long acknowledgedNs, String value) {

    enum Kind {
        SET,
        INCR,
        GET_PAGE,
        GET_COUNT,
        /** Of a transaction in the database. */
        COMMIT
    }

    /** The key of a SET on a connection. */
    static String key(final int connection, final long sequence) {
        return connection + ":" + sequence;
    }

    /** The counter of a connection. */
    static String counterKey(final int connection) {
        return "counter:" + connection;
    }
}
