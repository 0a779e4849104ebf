package org.resilire.role;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for an agent that was told to end: for a limited time, but as long as it writes disks out. What it has answered is in the kernel's
 * cache and outlives it anyhow; but only when all of it is on stable storage can the bitmap say so, and without that word a host that
 * is booted next has its disks compared as a whole with the other's.
 */
final class OrderlyEnd {

    private static final Logger LOG = LoggerFactory.getLogger(OrderlyEnd.class);
    private static final long POLL_MILLIS = 20;
    private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final CountDownLatch ended;
    private final BooleanSupplier isWritingOut;
    private final NanoClock clock;

    /** @param isWritingOut whether nothing but disks is waited for */
    OrderlyEnd(final CountDownLatch ended, final BooleanSupplier isWritingOut, final NanoClock clock) {
        this.ended = ended;
        this.isWritingOut = isWritingOut;
        this.clock = clock;
    }

    /** Returns false if the agent has not ended within the limit, reckoned from when it last wrote disks out. */
    boolean await(final Duration limit) throws InterruptedException {
        final long limitNanos = limit.toNanos();
        long sinceNanos = clock.nanoTime();
        long nextReportNanos = sinceNanos + REPORT_NANOS;
        while (!ended.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
            final long nowNanos = clock.nanoTime();
            if (isWritingOut.getAsBoolean()) {
                sinceNanos = nowNanos;
                if (nowNanos - nextReportNanos >= 0) {
                    nextReportNanos = nowNanos + REPORT_NANOS;
                    LOG.warn("the guest's disks are being written out; this agent ends once they are");
                }
            } else if (nowNanos - sinceNanos > limitNanos) {
                return false;
            }
        }
        return true;
    }
}
