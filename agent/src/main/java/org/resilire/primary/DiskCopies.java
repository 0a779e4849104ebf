package org.resilire.primary;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.DiskResync;
import org.resilire.disk.DiskVerification;
import org.resilire.disk.PrimaryDisk;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the backup's disks up to date beside the guest, one after the other; then clears their bitmaps by what the backup has applied,
 * and compares disks when asked to. A session has its own, with a thread of its own, since reading disks waits.
 *
 * <p>A disk that hangs keeps that thread for as long as it does, and nobody else: the thread is left behind then, and does nothing more but
 * end.
 */
final class DiskCopies implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DiskCopies.class);
    private static final long STEP_NANOS = 500_000;
    private static final long IDLE_NANOS = 20_000_000;
    private static final long GENERATION_NANOS = 1_000_000_000L;
    private static final long REPORT_NANOS = 2_000_000_000L;
    private static final int BLOCKS_AT_A_TIME = 4;

    /** A disk that answers has read a few blocks within this. */
    private static final long END_LIMIT_MILLIS = 1_000;

    /** No generation waits to be cleared. */
    private static final long NONE = -1;

    private final PrimaryDisk[] disks;
    private final DiskResync[] resyncs;
    private final PrimarySession session;
    private final NanoClock clock;
    private final Thread thread;
    private final long[] generationEpochs;
    private final AtomicReference<CompletableFuture<List<DiskVerification.Result>>> wanted = new AtomicReference<>();
    private long nextGenerationNanos;
    private volatile CompletableFuture<List<DiskVerification.Result>> answering;
    private volatile DiskVerification verification;
    private volatile int verifiedDisk = -1;
    private volatile boolean isCopied;
    private volatile boolean isClosed;

    DiskCopies(
            final PrimaryDisk[] disks,
            final List<DiskIdentity> replicas,
            final PrimarySession session,
            final long bytesPerSecond,
            final NanoClock clock) {
        this.disks = disks;
        this.session = session;
        this.clock = clock;
        resyncs = new DiskResync[disks.length];
        for (int i = 0; i < disks.length; i++) {
            resyncs[i] = new DiskResync(disks[i], replicas.get(i).isEmpty(), clock, bytesPerSecond);
        }
        generationEpochs = new long[disks.length];
        Arrays.fill(generationEpochs, NONE);
        thread = Thread.ofPlatform().daemon().name("disk-copy").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Whether all that the backup lacked is in the logs. Any thread. */
    boolean isCopied() {
        return isCopied;
    }

    /** How far a disk's copy is. Any thread. */
    DiskResync resync(final int disk) {
        return resyncs[disk];
    }

    /**
     * Wants all disks compared with the backup's. Any thread.
     *
     * @return completes with a result a disk, or exceptionally if the session ends before
     */
    CompletableFuture<List<DiskVerification.Result>> verify() {
        final CompletableFuture<List<DiskVerification.Result>> result = new CompletableFuture<>();
        final CompletableFuture<List<DiskVerification.Result>> earlier = wanted.getAndSet(result);
        if (earlier != null) {
            earlier.completeExceptionally(new IllegalStateException("another comparison was asked for"));
        }
        if (isClosed) {
            fail(result);
        }
        return result;
    }

    /** Whether its thread, once started, has ended. */
    boolean hasEnded() {
        return !thread.isAlive();
    }

    private static void fail(final CompletableFuture<?> verifying) {
        verifying.completeExceptionally(new IllegalStateException("the session with the backup ended"));
    }

    /** The backup's block is not as ours is. Link thread. */
    void onDifference(final int disk, final long diskOffset) {
        if (disk < 0 || disk >= resyncs.length) {
            return;
        }
        final DiskVerification verifying = verification;
        if (verifying == null) {
            resyncs[disk].onDifference(diskOffset);
        } else if (disk == verifiedDisk) {
            verifying.onDifference(diskOffset);
        }
    }

    private void run() {
        try {
            for (int i = 0; i < disks.length && !isClosed; i++) {
                copy(i);
            }
            isCopied = !isClosed;
            while (!isClosed) {
                clearBitmaps();
                final CompletableFuture<List<DiskVerification.Result>> verifying = wanted.getAndSet(null);
                if (verifying != null) {
                    verify(verifying);
                }
                LockSupport.parkNanos(IDLE_NANOS);
            }
        } catch (final RuntimeException e) {
            // A log that heard of it is broken, by which the sender ends the session.
            LOG.error("a disk cannot be copied: {}", e.getMessage());
        } finally {
            closeResyncs();
        }
    }

    private void closeResyncs() {
        for (final DiskResync resync : resyncs) {
            resync.close();
        }
    }

    private void copy(final int index) {
        final DiskResync resync = resyncs[index];
        final String name = disks[index].name();
        LOG.info("disk {}: {}", name, resync.description());
        long nextReportNanos = clock.nanoTime() + REPORT_NANOS;
        while (!isClosed && !resync.isDone()) {
            if (resync.doWork(BLOCKS_AT_A_TIME, session.appliedDiskEpoch()) == 0) {
                LockSupport.parkNanos(STEP_NANOS);
            }
            if (clock.nanoTime() - nextReportNanos >= 0) {
                nextReportNanos += REPORT_NANOS;
                LOG.info(
                        "disk {}: {} % of {} MiB",
                        name, 100 * resync.blocksDone() / Math.max(1, resync.blocksTotal()), resync.blocksTotal() >> 4);
            }
        }
        if (resync.isDone()) {
            LOG.info("disk {}: {} KiB copied", name, resync.copiedBytes() >> 10);
        }
    }

    /**
     * What changed before a generation began, and is on the backup's disks, need not be marked any more. Never once this is closed: what a
     * later session says was applied is about other epochs, and bitmaps are its copies' to clear.
     */
    private synchronized void clearBitmaps() {
        if (isClosed) {
            return;
        }
        final long appliedEpoch = session.appliedDiskEpoch();
        final boolean mayBegin = clock.nanoTime() - nextGenerationNanos >= 0;
        for (int i = 0; i < disks.length; i++) {
            if (generationEpochs[i] != NONE && appliedEpoch >= generationEpochs[i]) {
                disks[i].bitmap().clearOld();
                generationEpochs[i] = NONE;
            }
            if (generationEpochs[i] == NONE && mayBegin) {
                generationEpochs[i] = disks[i].log().beginGeneration();
                nextGenerationNanos = clock.nanoTime() + GENERATION_NANOS;
            }
        }
    }

    private void verify(final CompletableFuture<List<DiskVerification.Result>> verifying) {
        answering = verifying;
        try {
            final List<DiskVerification.Result> results = compareAll();
            if (isClosed) {
                fail(verifying);
            } else {
                verifying.complete(results);
            }
        } catch (final RuntimeException e) {
            // If a disk cannot be read, its log is broken, by which the sender ends the session.
            LOG.error("a disk cannot be compared: {}", e.getMessage());
            verifying.completeExceptionally(e);
        }
    }

    private List<DiskVerification.Result> compareAll() {
        final List<DiskVerification.Result> results = new ArrayList<>();
        for (int i = 0; i < disks.length && !isClosed; i++) {
            try (DiskVerification comparing = new DiskVerification(disks[i])) {
                verifiedDisk = i;
                verification = comparing;
                while (!isClosed && !comparing.isDone(session.appliedDiskEpoch())) {
                    if (comparing.doWork(BLOCKS_AT_A_TIME) == 0) {
                        LockSupport.parkNanos(STEP_NANOS);
                        clearBitmaps();
                    }
                }
                results.add(comparing.result());
            } finally {
                verification = null;
            }
        }
        return results;
    }

    /** The logs were stopped: what waits for room in them goes on. */
    @Override
    public void close() {
        markClosed();
        if (thread.getState() == Thread.State.NEW) {
            closeResyncs();
        }
        LockSupport.unpark(thread);
        try {
            thread.join(END_LIMIT_MILLIS);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!hasEnded()) {
            LOG.error("a disk has not answered a read for {} ms: its storage is too slow or hangs", END_LIMIT_MILLIS);
        }
        final CompletableFuture<List<DiskVerification.Result>> unanswered = wanted.getAndSet(null);
        if (unanswered != null) {
            fail(unanswered);
        }
        final CompletableFuture<List<DiskVerification.Result>> unfinished = answering;
        if (unfinished != null) {
            fail(unfinished);
        }
    }

    private synchronized void markClosed() {
        isClosed = true;
    }
}
