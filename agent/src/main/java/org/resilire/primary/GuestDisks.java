package org.resilire.primary;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentText;
import org.resilire.control.ControlException;
import org.resilire.control.ControlProgress;
import org.resilire.disk.DirtyBitmap;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.DiskImage;
import org.resilire.disk.DiskResync;
import org.resilire.disk.DiskVerification;
import org.resilire.disk.EpochWriteLog;
import org.resilire.disk.FlushSettler;
import org.resilire.disk.PrimaryDisk;

/**
 * The disks of a guest, as those see them who make its checkpoints: their part of each epoch, their copying at a session's beginning,
 * and their flushes in pauses. Used by the checkpoint thread but for what says otherwise; around a pause it allocates nothing and waits
 * for no disk.
 */
final class GuestDisks implements AutoCloseable {

    private static final long VERIFY_STEP_SECONDS = 2;

    private final PrimaryDisk[] disks;
    private final FlushSettler settler;
    private final PrimarySession session;
    private final long copyBytesPerSecond;
    private final NanoClock clock;
    private DiskCopies copies;

    /**
     * Takes the disks, which stay their opener's to close.
     *
     * @param session knows what the backup has applied
     * @param copyBytesPerSecond at most; {@link Long#MAX_VALUE} for no limit
     * @param onFailure told in words that are for the user; any thread
     */
    GuestDisks(
            final List<PrimaryDisk> disks,
            final PrimarySession session,
            final long copyBytesPerSecond,
            final Consumer<String> onFailure,
            final NanoClock clock) {
        this.disks = disks.toArray(PrimaryDisk[]::new);
        this.session = session;
        this.copyBytesPerSecond = copyBytesPerSecond;
        this.clock = clock;
        settler = new FlushSettler(disks.stream().map(PrimaryDisk::image).toArray(DiskImage[]::new), onFailure);
    }

    /** Of a guest that has none. */
    static GuestDisks none(final PrimarySession session, final NanoClock clock) {
        return new GuestDisks(List.of(), session, Long.MAX_VALUE, text -> {}, clock);
    }

    boolean isEmpty() {
        return disks.length == 0;
    }

    /** For the sender of their changes. */
    PrimaryDisk[] all() {
        return disks.clone();
    }

    FlushSettler settler() {
        return settler;
    }

    /** For the greeting. */
    String identities() {
        return DiskIdentity.encode(
                Arrays.stream(disks).map(PrimaryDisk::identity).toList());
    }

    // ---------------------------------------------------------------- a session

    /**
     * From here on changes travel, and what the backup may lack is copied beside them.
     *
     * @param replicas as the backup described them
     * @param epoch the current one
     * @param isWanted asked while changes that are under way are waited for
     * @return false if it was not wanted any more
     */
    boolean startSession(final List<DiskIdentity> replicas, final long epoch, final BooleanSupplier isWanted) {
        if (disks.length == 0) {
            return true;
        }
        for (int i = 0; i < disks.length; i++) {
            final EpochWriteLog log = disks[i].log();
            log.adopt(replicas.get(i).replica());
            log.beginEpoch(epoch);
            if (!log.start(isWanted)) {
                return false;
            }
        }
        copies = new DiskCopies(disks, replicas, session, copyBytesPerSecond, clock);
        session.copying(copies);
        copies.start();
        return true;
    }

    /** Whether the backup has, or is being sent, all that it lacked. */
    boolean isCopied() {
        return copies == null || copies.isCopied();
    }

    /** The session is over: changes are marked and do not wait for anybody. */
    void endSession() {
        for (final PrimaryDisk disk : disks) {
            disk.log().stop();
        }
        if (copies != null) {
            session.copying(null);
            copies.close();
            copies = null;
        }
    }

    // ---------------------------------------------------------------- an epoch

    /** An epoch that should end soon: some disk has brought much. */
    boolean isEpochLarge() {
        for (final PrimaryDisk disk : disks) {
            if (disk.log().isEpochLarge()) {
                return true;
            }
        }
        return false;
    }

    /** The guest is about to be paused. QEMU waits for what is under way, and flushes. */
    void beforePause() {
        for (final PrimaryDisk disk : disks) {
            disk.log().expectPause();
            disk.image().beginDeferringFlushes();
        }
    }

    /** What changes from here on belongs to this epoch: it is paused, or no checkpoint ends here. */
    void beginEpoch(final long epoch) {
        for (final PrimaryDisk disk : disks) {
            disk.log().beginEpoch(epoch);
        }
    }

    /** QEMU has flushed; the guest's own flushes, from when it runs again, wait for the disks. */
    void beforeResume() {
        for (final PrimaryDisk disk : disks) {
            disk.image().endDeferringFlushes();
        }
    }

    /** The guest runs again: what was promised in the pause that ended this epoch is to be kept. */
    void afterPause(final long epoch) {
        settler.request(epoch);
    }

    /** Keeps now what was promised: output is about to leave that nobody acknowledges. Waits for disks. */
    void settle() {
        settler.settleAll();
    }

    // ---------------------------------------------------------------- for people

    /** Tells how it is with the disks. The thread that publishes counters. */
    void publish(final AgentCounters counters) {
        if (disks.length == 0) {
            return;
        }
        final DiskCopies copying = session.diskCopies();
        long writtenBytes = 0;
        long waitingBytes = 0;
        long delayNanos = 0;
        long dirtyBytes = 0;
        long lookedBytes = 0;
        long toLookBytes = 0;
        long copiedBytes = 0;
        final StringBuilder text = new StringBuilder();
        for (int i = 0; i < disks.length; i++) {
            final PrimaryDisk disk = disks[i];
            final long dirty = disk.bitmap().dirtyBlocks() * DirtyBitmap.BLOCK_BYTES;
            writtenBytes += disk.log().writtenBytesTotal();
            waitingBytes += disk.log().loggedBytes();
            delayNanos += disk.log().delayNanosTotal();
            dirtyBytes += dirty;
            text.append(i == 0 ? "" : "; ")
                    .append(disk.name())
                    .append(": ")
                    .append(disk.log().writtenBytesTotal() >> 20)
                    .append(" MiB written, ")
                    .append(dirty >> 10)
                    .append(" KiB not on the backup's disk");
            if (copying != null) {
                final DiskResync resync = copying.resync(i);
                lookedBytes += resync.blocksDone() * DirtyBitmap.BLOCK_BYTES;
                toLookBytes += resync.blocksTotal() * DirtyBitmap.BLOCK_BYTES;
                copiedBytes += resync.copiedBytes();
                if (!resync.isDone()) {
                    text.append(", copied ")
                            .append(100 * resync.blocksDone() / Math.max(1, resync.blocksTotal()))
                            .append(" %");
                }
            }
        }
        counters.set(AgentCounter.DISK_WRITTEN_BYTES_TOTAL, writtenBytes);
        counters.set(AgentCounter.DISK_WAITING_BYTES, waitingBytes);
        counters.set(AgentCounter.DISK_DELAY_NANOS_TOTAL, delayNanos);
        counters.set(AgentCounter.DISK_COPY_BYTES_DONE, lookedBytes);
        counters.set(AgentCounter.DISK_COPY_BYTES_TOTAL, toLookBytes);
        counters.set(AgentCounter.DISK_COPIED_BYTES, copiedBytes);
        counters.set(AgentCounter.DISK_DIRTY_BYTES, dirtyBytes);
        counters.text(AgentText.DISKS, text.toString());
    }

    /**
     * Compares all disks with the backup's, while the guest uses them. A control thread.
     *
     * @param onWait called every now and then
     * @throws ControlException if that cannot be
     */
    List<DiskVerification.Result> verify(final ControlProgress onWait) throws InterruptedException {
        if (disks.length == 0) {
            return List.of();
        }
        final DiskCopies copying = session.diskCopies();
        if (copying == null) {
            throw new ControlException("the disks are not replicated now; 'resilire status' tells");
        }
        final CompletableFuture<List<DiskVerification.Result>> result = copying.verify();
        while (true) {
            try {
                return result.get(VERIFY_STEP_SECONDS, TimeUnit.SECONDS);
            } catch (final TimeoutException e) {
                onWait.report("comparing disks");
            } catch (final ExecutionException e) {
                throw new ControlException(
                        "the disks were not compared: " + e.getCause().getMessage());
            }
        }
    }

    @Override
    public void close() {
        endSession();
        CloseHelper.close(settler);
    }
}
