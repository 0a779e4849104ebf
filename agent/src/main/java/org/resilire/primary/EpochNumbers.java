package org.resilire.primary;

/** Numbers the epochs that are sent, and holds their sender back while too many are not acknowledged. */
interface EpochNumbers {

    /**
     * The number of the next epoch, once it may be sent.
     *
     * @throws org.resilire.epoch.CaptureAbortedException if the session ended
     */
    long next();
}
