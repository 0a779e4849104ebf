package org.resilire.epoch;

/** Decides when the next checkpoint starts. Called by the checkpoint thread only. */
public interface EpochPolicy {

    /**
     * The time of the next checkpoint.
     *
     * @param lastStartNanos when the last checkpoint paused the guest, in the clock's time
     * @param nowNanos the present
     * @return when the next one is to pause it; not after {@code nowNanos} means at once
     */
    long nextStartNanos(long lastStartNanos, long nowNanos);

    /** In words, for logs and status. */
    String description();
}
