package org.resilire.failover;

/**
 * Suspects a peer that was silent for too long. Silence is counted only while the detector itself runs: a tick that comes late
 * (this host was busy, the thread was not scheduled) counts as one interval at most, so that waking up from a stall first listens
 * and then judges. Not thread-safe.
 */
public final class FailureDetector {

    private static final long PATIENCE = 10;

    private final long intervalNanos;
    private final long timeoutNanos;
    private long silenceNanos;
    private long lastTickNanos;
    private boolean watching;
    private boolean patient;

    /**
     * @param intervalNanos how often the peer gives a sign of life
     * @param timeoutNanos silence after which it counts as failed; at least twice the interval
     */
    public FailureDetector(final long intervalNanos, final long timeoutNanos) {
        if (intervalNanos <= 0 || timeoutNanos / 2 < intervalNanos) {
            throw new IllegalArgumentException("the detector's time-out (" + timeoutNanos / 1e6
                    + " ms) must be at least twice its interval (" + intervalNanos / 1e6 + " ms)");
        }
        this.intervalNanos = intervalNanos;
        this.timeoutNanos = timeoutNanos;
    }

    /**
     * Starts to watch; the peer has just been heard. The detector is patient at first: while a synchronisation runs there is
     * nothing to take over, and code that has never run yet is slow.
     */
    public void start(final long nowNanos) {
        watching = true;
        patient = true;
        silenceNanos = 0;
        lastTickNanos = nowNanos;
    }

    /** From here on the time-out holds: there is a checkpoint to go on from. */
    public void endPatience() {
        patient = false;
    }

    public void stop() {
        watching = false;
    }

    /** The peer was heard. */
    public void heard() {
        silenceNanos = 0;
    }

    /**
     * Passes time; call it often, after having listened.
     *
     * @return true if the peer counts as failed
     */
    public boolean tick(final long nowNanos) {
        if (!watching) {
            return false;
        }
        silenceNanos += Math.min(nowNanos - lastTickNanos, intervalNanos);
        lastTickNanos = nowNanos;
        return silenceNanos >= (patient ? PATIENCE * timeoutNanos : timeoutNanos);
    }

    /** Silence so far, in nanoseconds of the detector's own running time. */
    public long silenceNanos() {
        return silenceNanos;
    }

    public long intervalNanos() {
        return intervalNanos;
    }

    public long timeoutNanos() {
        return timeoutNanos;
    }
}
