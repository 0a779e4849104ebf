package org.resilire.testbed.load;

/**
 * What the test bed tells the load, one line of JSON each; every one is answered by one line.
 *
 * @param command what to do
 * @param failover for {@code FINISH}, what happened meanwhile; null if nothing did
 */
record LoadRequest(Command command, FailoverTimes failover) {

    enum Command {
        PROGRESS,
        REST,
        GO_ON,
        /** Ends the load, verifies, answers with the result. */
        FINISH
    }
}
