package org.resilire.testbed.evaluate.client;

/**
 * What clients ask a guest for.
 *
 * @param protocol what they speak
 * @param port of the guest
 * @param connections how many, each with one request under way
 * @param thinkMicros of a connection, between an answer and its next request
 */
public record LoadSpec(Protocol protocol, int port, int connections, long thinkMicros) {

    /** What a request is. */
    public enum Protocol {
        /** SET of 256 B values to 20,000 keys. */
        REDIS_SET,
        /** GET of the same 256 KiB file. */
        HTTP_FILE_256K,
        /** GET of pages that belong to 4,096 sessions. */
        HTTP_SESSIONS,
        /** GET that the file server takes for an operation on one of its files. */
        HTTP_FILE_OPERATIONS
    }
}
