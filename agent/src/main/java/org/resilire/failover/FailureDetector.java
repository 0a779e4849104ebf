package org.resilire.failover;

/**
 * Suspects a peer that was silent for too long. Silence is counted only while the detector itself runs: a tick that comes late
 * (this host was busy, the thread was not scheduled) counts as one interval at most, so that waking up from a stall first listens
 * and then judges. Not thread-safe.
 */
public final class FailureDetector {

    private final long intervalNanos;
    private final long timeoutNanos;
    private long silenceNanos;
    private long lastTickNanos;
    private boolean watching;

    /**
     * @param intervalNanos how often the peer gives a sign of life
     * @param timeoutNanos silence after which it counts as failed; at least twice the interval
     */
    public FailureDetector(final long intervalNanos, final long timeoutNanos) {
        if (intervalNanos <= 0 || timeoutNanos < 2 * intervalNanos) {
            throw new IllegalArgumentException("the detector's time-out (" + timeoutNanos / 1e6
                    + " ms) must be at least twice its interval (" + intervalNanos / 1e6 + " ms)");
        }
        this.intervalNanos = intervalNanos;
        this.timeoutNanos = timeoutNanos;
    }

    /** Starts to watch; the peer has just been heard. */
    public void start(final long nowNanos) {
        watching = true;
        silenceNanos = 0;
        lastTickNanos = nowNanos;
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
        return silenceNanos >= timeoutNanos;
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
