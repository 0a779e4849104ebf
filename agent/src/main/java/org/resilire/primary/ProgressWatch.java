package org.resilire.primary;

import java.util.concurrent.TimeUnit;

/**
 * Notices a backup that gives signs of life and yet takes nothing in: its stream is broken, or what it waits for never comes. The
 * failure detector cannot see that, and output would be held for ever. Whatever moves counts as progress: acknowledgements, the
 * window that the stream's receiver grants, epochs that reached the backup's disks. Link thread only; allocates nothing.
 */
final class ProgressWatch {

    /** Longer than any backup takes for something without a sign that it got on. */
    private static final long MIN_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Of the detector's time-outs: a backup that is silent is that one's to judge, also while it is patient. */
    private static final long TIMEOUTS = 20;

    private final long limitNanos;
    private final long intervalNanos;
    private long stalledNanos;
    private long lastNanos;
    private long acknowledgedEpoch;
    private long positionLimit;
    private long appliedDiskEpoch;

    /**
     * Watches nothing yet.
     *
     * @param intervalNanos what passes between two looks counts for no more: this host may have stood still itself
     * @param timeoutNanos of the failure detector
     */
    ProgressWatch(final long intervalNanos, final long timeoutNanos) {
        this.intervalNanos = intervalNanos;
        this.limitNanos = Math.max(MIN_LIMIT_NANOS, TIMEOUTS * timeoutNanos);
    }

    long limitNanos() {
        return limitNanos;
    }

    /** A session is open. */
    void start(final long nowNanos) {
        lastNanos = nowNanos;
        stalledNanos = 0;
    }

    /**
     * Looks again; call it often.
     *
     * @param isAwaited whether there is something that the backup has not acknowledged
     * @param acknowledged the epoch up to which it has
     * @param limit the position up to which the stream's receiver would take more
     * @param appliedToDisks the epoch up to which its disks are written
     * @return true if nothing has moved for too long though something is awaited
     */
    boolean isStalled(
            final long nowNanos,
            final boolean isAwaited,
            final long acknowledged,
            final long limit,
            final long appliedToDisks) {
        stalledNanos += Math.min(nowNanos - lastNanos, intervalNanos);
        lastNanos = nowNanos;
        final boolean hasMoved =
                acknowledged != acknowledgedEpoch || limit != positionLimit || appliedToDisks != appliedDiskEpoch;
        if (hasMoved || !isAwaited) {
            acknowledgedEpoch = acknowledged;
            positionLimit = limit;
            appliedDiskEpoch = appliedToDisks;
            stalledNanos = 0;
        }
        return stalledNanos >= limitNanos;
    }
}
