package org.resilire.failover;

/**
 * Until when a backup may take over by itself. A primary that stops hearing its backup holds its output for an agreed time and
 * then goes on unprotected: from then on the replica is history. The backup cannot see when that time began, but it knows when
 * it said what the primary echoed last: the primary's time began no earlier. Measured by the backup's clock alone, so that
 * neither a stall of the backup nor messages that waited in a socket meanwhile make it believe a primary younger than it is.
 * Clocks may run at different speeds by the slack in the agreed time. Not thread-safe.
 */
public final class TakeoverLease {

    private final long limitNanos;
    private long renewedNanos;

    /** @param limitNanos how long a primary without its backup holds its output, at least */
    public TakeoverLease(final long limitNanos) {
        this.limitNanos = limitNanos;
    }

    /** A session opens: the primary has heard nothing that was said before. */
    public void start(final long nowNanos) {
        renewedNanos = nowNanos;
    }

    /**
     * The primary has heard what was said then. A time that lies in the future, or before the last one, is not believed.
     *
     * @param saidNanos the backup's clock, as the primary echoes it
     */
    public void renew(final long saidNanos, final long nowNanos) {
        if (saidNanos - renewedNanos > 0 && saidNanos - nowNanos <= 0) {
            renewedNanos = saidNanos;
        }
    }

    /** The latest time of which it is known that the primary was there and heard this side. */
    public long renewedNanos() {
        return renewedNanos;
    }

    /** From this time on the primary may have gone on without its backup. */
    public long endNanos() {
        return renewedNanos + limitNanos;
    }
}
