package org.resilire.primary;

/**
 * Decides whether what a guest has written is captured ahead of its pause, and how long before, by what recent epochs came to. After
 * VPC (SBAC-PAD 2012), which saves pages ahead that a checkpoint is predicted to touch; here it is the number of pages that is
 * predicted, since the tracker tells which they are. Few are not worth it: each that the guest writes again costs it a fault, and
 * the pause another look. Not in Remus' mode, which is the baseline. Checkpoint thread only; allocates nothing.
 */
final class CaptureAhead {

    /** Of the latest epoch in the prediction. */
    private static final double WEIGHT = 0.2;

    /** Capturing and encoding are to be done when the pause is due, even if they take this much longer than they mostly do. */
    private static final double MARGIN = 1.5;

    private final long minPages;
    private boolean isOfUse;
    private double pages;
    private double nanos;
    private long startedNanos;
    private boolean isUnderWay;

    /** @param minPages an epoch that is predicted to have so many pages is captured ahead; 0 for never */
    CaptureAhead(final long minPages) {
        this.minPages = minPages;
    }

    /**
     * A session begins: forgets a capture whose session ended.
     *
     * @param isInMode whether its mode captures ahead at all
     */
    void beginSession(final boolean isInMode) {
        isOfUse = isInMode && minPages > 0;
        isUnderWay = false;
    }

    /** How long until it is to begin for a pause at that time: at most 0 for now, {@link Long#MAX_VALUE} for never. */
    long dueInNanos(final long pauseAtNanos, final long nowNanos) {
        return isOfUse && pages >= minPages ? pauseAtNanos - nowNanos - leadNanos() : Long.MAX_VALUE;
    }

    /** How long before the pause it is to begin. */
    long leadNanos() {
        return (long) (nanos * MARGIN);
    }

    void started(final long nowNanos) {
        startedNanos = nowNanos;
        isUnderWay = true;
    }

    /** Call when the encoder is seen to be through with what was captured; again makes no difference. */
    void encoded(final long nowNanos) {
        if (isUnderWay) {
            isUnderWay = false;
            nanos += WEIGHT * (nowNanos - startedNanos - nanos);
        }
    }

    /**
     * A checkpoint was made.
     *
     * @param dirtyPages that were captured for it, ahead and in its pause
     */
    void onCheckpoint(final long dirtyPages) {
        pages += WEIGHT * (dirtyPages - pages);
    }
}
