package org.resilire.testbed.evaluate.client;

/**
 * What clients ask a guest for.
 *
 * @param protocol what they speak
 * @param port of the guest
 * @param connections how many, each with one request under way
 * @param thinkMicros of a connection, as its pace has it
 */
public record LoadSpec(Protocol protocol, int port, int connections, long thinkMicros, Pace pace) {

    /** Connections that think as long each time. */
    public LoadSpec(final Protocol protocol, final int port, final int connections, final long thinkMicros) {
        this(protocol, port, connections, thinkMicros, Pace.THINKING);
    }

    /** When a connection sends its next request. */
    public enum Pace {
        /** So long after the answer. */
        THINKING,
        /** So long after the answer on average, exponentially distributed: no period of the guest's can fall in step with it. */
        RANDOM,
        /** So long after the last request, if that was answered by then; all connections together send at even distances. */
        STEADY
    }

    /** What a request is. */
    public enum Protocol {
        /** SET of 256 B values to 20,000 keys. */
        REDIS_SET,
        /** GET of the same 256 KiB file. */
        HTTP_FILE_256K,
        /** GET of pages that belong to 4,096 sessions. */
        HTTP_SESSIONS,
        /** GET that the file server takes for an operation on one of its files. */
        HTTP_FILE_OPERATIONS,
        /** GET of the small page that the web server always has. */
        HTTP_SMALL,
        /** GET with a number that the answer, after a set amount of computation, must repeat. */
        HTTP_WORK
    }
}
