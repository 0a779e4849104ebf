package org.resilire.testbed.evaluate.client;

/**
 * A line of JSON to the client process.
 *
 * @param guest of {@link Command#GUEST}: a line for the guest's workload service
 * @param load of {@link Command#START}
 */
record ClientRequest(Command command, String guest, LoadSpec load) {

    enum Command {
        /** Passes a line to the guest's workload service; its answer is the answer. */
        GUEST,
        /** Starts a load, in place of the one before. */
        START,
        /** Tells what the load did since the last sample. */
        SAMPLE,
        /** Tells the last requests that were answered, each by itself. */
        REQUESTS,
        /** Ends the load. */
        END
    }
}
