package org.resilire.epoch;

/** Decides when the next checkpoint starts. Called by the checkpoint thread only; allocates nothing between two descriptions. */
public interface EpochPolicy {

    /** Of {@link #missedTargets}: answers wait longer than they should. */
    int MISSES_DELAY = 1;

    /** Of {@link #missedTargets}: the guest stands still for more of the time than it should. */
    int MISSES_OVERHEAD = 2;

    /**
     * The time of the next checkpoint, as things are now; asked again whenever they change.
     *
     * @param lastStartNanos when the last checkpoint paused the guest, in the clock's time
     * @param outputWaits whether the guest has sent something since that can leave only with the next one
     * @return when the next one is to pause it
     */
    long nextStartNanos(long lastStartNanos, boolean outputWaits);

    /** Whether it matters to {@link #nextStartNanos} that output waits: then the checkpoint thread is woken for it. */
    default boolean heedsOutput() {
        return false;
    }

    /** After a checkpoint: what it and those before it took. */
    default void adjust(final PaceEstimate estimate) {}

    /** From checkpoint to checkpoint, at most, if the backup keeps up. */
    long periodNanos();

    /** How long what the guest sends waits on average before it leaves; {@link PaceEstimate#UNKNOWN} if that is not known. */
    default long outputDelayNanos(final PaceEstimate estimate) {
        return estimate.outputDelayNanos();
    }

    /** Of the targets that it was given, those that it does not hold: {@link #MISSES_DELAY}, {@link #MISSES_OVERHEAD}. */
    default int missedTargets() {
        return 0;
    }

    /** In words, for logs and status. */
    String description();
}
