package org.resilire.epoch;

/**
 * What checkpoints lately took: from one to the next, in pauses, and until they were acknowledged. Exponentially smoothed, each value
 * counting for a quarter; one that is far out counts as four times what was expected, so that a single hiccup of the machine does
 * not look like a change of the load. Checkpoint thread only; allocates nothing.
 */
public final class PaceEstimate {

    /** Nothing was measured yet. */
    public static final long UNKNOWN = -1;

    private static final double WEIGHT = 0.25;
    private static final double MOST = 4;

    private final Smoothed interval = new Smoothed();
    private final Smoothed pause = new Smoothed();
    private final Smoothed commit = new Smoothed();
    private long lastStartNanos;
    private long checkpoints;

    private static final class Smoothed {
        private double value = UNKNOWN;

        void add(final long measured) {
            if (value == UNKNOWN) {
                value = (double) Math.max(measured, 1);
            } else {
                value += WEIGHT * (Math.clamp((double) measured, 1, MOST * value) - value);
            }
        }
    }

    /** A session's first checkpoint: the one before it was another session's. */
    public void beginSession(final long startNanos) {
        lastStartNanos = startNanos;
        checkpoints = 0;
    }

    /** A checkpoint was made. */
    public void onCheckpoint(final long startNanos, final long pauseNanos) {
        interval.add(startNanos - lastStartNanos);
        pause.add(pauseNanos);
        lastStartNanos = startNanos;
        checkpoints++;
    }

    /** A checkpoint was made that is not like the others: what it took says nothing about them. */
    public void onOtherCheckpoint(final long startNanos) {
        lastStartNanos = startNanos;
    }

    /** A checkpoint was acknowledged so long after it had begun to pause the guest. */
    public void onCommitted(final long commitNanos) {
        commit.add(commitNanos);
    }

    /** Since the session began, without its first. */
    public long checkpoints() {
        return checkpoints;
    }

    /** From the start of a checkpoint to that of the next, or {@link #UNKNOWN}. */
    public long intervalNanos() {
        return (long) interval.value;
    }

    /** How long the guest stands still for one, or {@link #UNKNOWN}. */
    public long pauseNanos() {
        return (long) pause.value;
    }

    /** From the start of a checkpoint to its acknowledgement, or {@link #UNKNOWN}. */
    public long commitNanos() {
        return (long) commit.value;
    }

    /** The part of the time for which the guest stands still, 0 to 1; {@link #UNKNOWN} if it is not known. */
    public double pausedShare() {
        return interval.value == UNKNOWN ? UNKNOWN : Math.min(1, pause.value / interval.value);
    }

    /**
     * How long what a guest sends at any instant waits on average before it leaves: half of the time for which it runs between two
     * pauses, then until the checkpoint is acknowledged. {@link #UNKNOWN} if that is not known.
     */
    public long outputDelayNanos() {
        return interval.value == UNKNOWN || commit.value == UNKNOWN
                ? UNKNOWN
                : (long) (Math.max(0, interval.value - pause.value) / 2 + commit.value);
    }
}
