package org.resilire.disk;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes good on a thread of its own what flushes were promised in pauses ({@link DiskImage#beginDeferringFlushes}), so that neither a
 * pause nor the link waits for a disk. {@link #settledEpoch} tells how far: output of a later epoch must not leave yet.
 *
 * <p>A disk that fails here fails all later flushes, by which the guest learns. What it was promised is safe on the backup by the
 * time output leaves, if not here; so the epoch counts as settled.
 *
 * <p>One thread requests, any asks.
 */
public final class FlushSettler implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FlushSettler.class);

    private final DiskImage[] images;
    private final Consumer<String> onFailure;
    private final Thread thread;
    private volatile long requestedEpoch = -1;
    private volatile long settledEpoch = -1;
    private volatile boolean isClosed;
    private volatile Runnable onSettled = () -> {};

    /** @param onFailure told once a disk in words that are for the user */
    public FlushSettler(final DiskImage[] images, final Consumer<String> onFailure) {
        this.images = images.clone();
        this.onFailure = onFailure;
        thread = Thread.ofPlatform().daemon().name("disk-flush").unstarted(this::settleUntilClosed);
        if (images.length > 0) {
            thread.start();
        }
    }

    /** What to call whenever {@link #settledEpoch} has risen on this object's own thread. */
    public void onSettled(final Runnable listener) {
        onSettled = listener;
    }

    /** The pause that ends this epoch is over. */
    public void request(final long epoch) {
        final boolean isIdle = settledEpoch == requestedEpoch && !isAnythingOwed();
        requestedEpoch = epoch;
        if (isIdle) {
            settledEpoch = epoch;
        } else {
            LockSupport.unpark(thread);
        }
    }

    private boolean isAnythingOwed() {
        for (final DiskImage image : images) {
            if (image.owesFlush()) {
                return true;
            }
        }
        return false;
    }

    /** All that was promised up to the end of this epoch is on stable storage. Without disks there is nothing to wait for. */
    public long settledEpoch() {
        return images.length == 0 ? Long.MAX_VALUE : settledEpoch;
    }

    /** Settles everything now and here; for a thread that may wait for disks. */
    public void settleAll() {
        for (final DiskImage image : images) {
            settle(image);
        }
    }

    private void settle(final DiskImage image) {
        try {
            image.settleFlushes();
        } catch (final LinuxException failure) {
            final String text = "a disk fails, and the guest will see its flushes fail: " + failure.getMessage();
            LOG.error(text);
            onFailure.accept(text);
        }
    }

    private void settleUntilClosed() {
        while (!isClosed) {
            final long epoch = requestedEpoch;
            if (epoch == settledEpoch && !isAnythingOwed()) {
                LockSupport.park(this);
                continue;
            }
            settleAll();
            settledEpoch = epoch;
            onSettled.run();
        }
    }

    @Override
    public void close() {
        isClosed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        settleAll();
    }
}
