package org.resilire.disk;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;

/**
 * How far an image's changes are on stable storage, so that a flush with nothing to do costs nothing.
 *
 * <p>Deferring is for checkpoints: QEMU flushes its disks at every stop, and the guest must not wait for a device meanwhile. A
 * flush that comes while deferring is answered at once and owed; whoever began deferring must {@link #settle} before anything
 * leaves the host that the guest sent after the pause. The promise of a flush, as anybody outside can see it, then holds.
 */
final class DurableMark {

    private final Path path;
    private final Runnable fileSync;
    private final AtomicLong changes = new AtomicLong();

    /** All changes up to this number are on stable storage; -1: not even those from before the image was opened. */
    private long durableChanges = -1;

    private LinuxException failure;
    private boolean isDeferring;
    private boolean isOwed;

    /** Calls of the storage under way. */
    private final AtomicInteger syncing = new AtomicInteger();

    /** Of those that make good what is owed: until they have, it is. */
    private int settling;

    /**
     * Knows of nothing that would be durable.
     *
     * @param path for messages
     * @param fileSync makes all changes durable or throws a {@link LinuxException}
     */
    DurableMark(final Path path, final Runnable fileSync) {
        this.path = path;
        this.fileSync = fileSync;
    }

    /** After a change and before its answer. */
    void changed() {
        changes.incrementAndGet();
    }

    void flush() {
        synchronized (this) {
            if (isDeferring && failure == null) {
                isOwed |= changes.get() > durableChanges;
                return;
            }
        }
        sync();
    }

    private void sync() {
        final long upTo = changes.get();
        synchronized (this) {
            if (failure != null) {
                throw new LinuxException(
                        "flush",
                        path.toString(),
                        Errno.EIO,
                        "an earlier flush failed (" + failure.errno() + "), so written data may be lost");
            }
            if (upTo <= durableChanges) {
                return;
            }
        }
        syncing.incrementAndGet();
        try {
            fileSync.run();
        } catch (final LinuxException failed) {
            synchronized (this) {
                failure = failed;
            }
            throw failed;
        } finally {
            syncing.decrementAndGet();
        }
        synchronized (this) {
            durableChanges = Math.max(durableChanges, upTo);
        }
    }

    synchronized boolean needsFlush() {
        return failure != null || (!isDeferring && changes.get() > durableChanges);
    }

    /** Whether somebody waits for the storage. */
    boolean isSyncing() {
        return syncing.get() > 0;
    }

    synchronized void beginDeferring() {
        isDeferring = true;
    }

    synchronized void endDeferring() {
        isDeferring = false;
    }

    /** True until all that deferred flushes promised is on stable storage. */
    synchronized boolean isOwed() {
        return isOwed || settling > 0;
    }

    void settle() {
        synchronized (this) {
            if (!isOwed && settling == 0) {
                return;
            }
            // Before the sync: what is deferred meanwhile is owed anew.
            isOwed = false;
            settling++;
        }
        try {
            sync();
        } finally {
            synchronized (this) {
                settling--;
            }
        }
    }
}
