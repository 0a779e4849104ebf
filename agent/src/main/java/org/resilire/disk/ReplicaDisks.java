package org.resilire.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All disks of a standby: stages what each epoch brings, and applies what has committed on a thread of its own, several epochs at a
 * time when a disk is slower than they come. When more waits than memory should hold, {@link #isFull} says so, and whoever receives
 * epochs waits: the primary gets no acknowledgements and slows its guest down. Each disk by itself is always, once its journal has
 * nothing to finish, that of one epoch; if this host ends while it applies, two disks may stand at different ones.
 *
 * <p>Threads: the link's stages, commits and hands over; the standby's opens, recovers, releases and closes, when the link does
 * nothing here but {@link #doWork}.
 */
public final class ReplicaDisks implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaDisks.class);

    /** Committed changes of a disk that may wait before no more are taken. */
    private static final long WAITING_LIMIT_BYTES = 64L << 20;

    private static final long STEP_NANOS = 50_000;

    private final ReplicaDisk[] disks;
    private final Thread applier;

    // Of the link's thread.
    private long stagedEpoch = -1;
    private boolean hasStaged;
    private boolean isLeftReported;
    private long reportedEpoch;

    /** All up to here has committed; written by the link's thread. */
    private volatile long committedEpoch = -1;

    /** All up to here was handed to the applier. */
    private volatile long handedEpoch = -1;

    private volatile long appliedEpoch = -1;

    /** The applier has something to do: set by whoever hands over, reset by the applier. */
    private volatile boolean isApplying;

    /** Why a disk stands between two epochs; null if none does. */
    private volatile String failure;

    /** Whose disks are to stay as they are at the epoch at which it began; null if nobody's. */
    private final AtomicReference<DiskTrial> trial = new AtomicReference<>();

    /** For which of them what is applied now is to be preserved; published by {@link #isApplying}. */
    private DiskTrial preserving;

    private volatile boolean isClosed;

    private ReplicaDisks(final List<ReplicaDisk> disks) {
        this.disks = disks.toArray(ReplicaDisk[]::new);
        applier = Thread.ofPlatform().daemon().name("disk-apply").unstarted(this::applyUntilClosed);
    }

    /** Of a guest without disks. */
    public static ReplicaDisks none() {
        return new ReplicaDisks(List.of());
    }

    /**
     * Opens and serves disks.
     *
     * @param generation of the guest that this host has known last
     * @throws DiskImageException if one cannot be served; the message is for the user
     */
    public static ReplicaDisks open(
            final List<DiskConfig> configs, final Path stateDirectory, final String vmName, final long generation)
            throws IOException {
        final List<ReplicaDisk> opened = new ArrayList<>();
        try {
            for (final DiskConfig config : configs) {
                opened.add(ReplicaDisk.open(config, stateDirectory, vmName, generation));
            }
        } catch (final IOException | RuntimeException e) {
            CloseHelper.quietCloseAll(opened);
            throw e;
        }
        final ReplicaDisks all = new ReplicaDisks(opened);
        if (!opened.isEmpty()) {
            all.recoverAll();
            all.applier.start();
        }
        return all;
    }

    public boolean isEmpty() {
        return disks.length == 0;
    }

    public int count() {
        return disks.length;
    }

    ReplicaDisk[] all() {
        return disks.clone();
    }

    /** For a primary that greets. */
    public List<DiskIdentity> identities() {
        final List<DiskIdentity> identities = new ArrayList<>();
        for (final ReplicaDisk disk : disks) {
            identities.add(disk.identity());
        }
        return identities;
    }

    /** The disks of the guest that runs here since they were released; they stay this one's to close. */
    public List<PrimaryDisk> toPrimary() {
        final List<PrimaryDisk> primary = new ArrayList<>();
        for (final ReplicaDisk disk : disks) {
            primary.add(disk.toPrimary());
        }
        return primary;
    }

    // ---------------------------------------------------------------- the link's thread

    /** A session begins with this epoch; nothing is left of another one ({@link #prepare}). */
    public void startSession(final long firstEpoch) {
        stagedEpoch = -1;
        hasStaged = false;
        isLeftReported = false;
        reportedEpoch = firstEpoch - 1;
        committedEpoch = firstEpoch - 1;
        appliedEpoch = firstEpoch - 1;
        handedEpoch = firstEpoch - 1;
        for (final ReplicaDisk disk : disks) {
            disk.dropAll();
            disk.differences().listen(true);
        }
    }

    /**
     * Stages changes of an epoch.
     *
     * @return where they stand in {@link #staged}
     * @throws InvalidChangeException if they cannot be; the session must end
     */
    public long stage(
            final long epoch,
            final int disk,
            final int changes,
            final DirectBuffer source,
            final int offset,
            final int lengthBytes) {
        if (disk < 0 || disk >= disks.length) {
            throw new InvalidChangeException("changes of disk " + disk + ", of " + disks.length);
        }
        if (epoch != stagedEpoch) {
            begin(epoch);
        }
        hasStaged = true;
        return disks[disk].append(changes, source, offset, lengthBytes);
    }

    private void begin(final long epoch) {
        for (final ReplicaDisk disk : disks) {
            disk.begin(epoch);
        }
        stagedEpoch = epoch;
        hasStaged = false;
    }

    /** What is staged of a disk. */
    public MemorySegment staged(final int disk) {
        return disks[disk].filling().records();
    }

    /** The epoch has committed. */
    public void commit(final long epoch) {
        if (disks.length == 0) {
            return;
        }
        if (epoch != stagedEpoch) {
            begin(epoch);
        }
        if (!isLeftReported) {
            // With the first epoch and not sooner: by then the primary listens.
            reportLeft();
        }
        for (final ReplicaDisk disk : disks) {
            disk.commit();
        }
        hasStaged = false;
        committedEpoch = epoch;
        doWork();
    }

    private void reportLeft() {
        isLeftReported = true;
        for (final ReplicaDisk disk : disks) {
            disk.reportLeft();
        }
    }

    /** Forgets what is staged of an epoch that has not committed. */
    public void dropStaged() {
        if (hasStaged) {
            begin(stagedEpoch);
        }
    }

    /** The session is over: nobody hears of differences any more. */
    public void endSession() {
        dropStaged();
        for (final ReplicaDisk disk : disks) {
            disk.differences().listen(false);
        }
    }

    /** Hands over what has committed if the applier rests; returns true if it did. Costs nothing while there is nothing to do. */
    public boolean doWork() {
        if (committedEpoch == handedEpoch || isApplying || hasStaged || failure != null) {
            return false;
        }
        if (!hasWaiting()) {
            // Most epochs of most guests: nobody need be woken.
            handedEpoch = committedEpoch;
            appliedEpoch = committedEpoch;
            return false;
        }
        for (final ReplicaDisk disk : disks) {
            disk.swap();
            disk.begin(stagedEpoch);
        }
        preserving = trial.get();
        handedEpoch = committedEpoch;
        isApplying = true;
        LockSupport.unpark(applier);
        return true;
    }

    /** Everything that has committed was handed over: {@link #beginTrial} may be. */
    public boolean isAllHandedOver() {
        return handedEpoch == committedEpoch;
    }

    /**
     * Begins a trial of the disks as they are at the last epoch that has committed; another one is over. Each handing over of changes is a
     * moment for it, so that it need not be waited for long: {@link #isAllHandedOver}.
     */
    public void beginTrial(final DiskTrial newTrial) {
        // Before the look: the applier looks the other way round.
        final DiskTrial before = trial.getAndSet(newTrial);
        if (before != null) {
            before.fail("another one has begun");
        }
        if (!isApplying) {
            newTrial.reached();
        }
    }

    /** Nothing is preserved for it any more. Any thread. */
    void endTrial(final DiskTrial endedTrial) {
        trial.compareAndSet(endedTrial, null);
    }

    private void failTrial(final String why) {
        final DiskTrial failed = trial.getAndSet(null);
        if (failed != null) {
            failed.fail(why);
        }
    }

    private boolean hasWaiting() {
        for (final ReplicaDisk disk : disks) {
            if (disk.filling().committedBytes() > 0) {
                return true;
            }
        }
        return false;
    }

    /** Changes have come of an epoch that has not committed. */
    public boolean hasStaged() {
        return hasStaged;
    }

    /** So much waits to be applied that no more should be received. */
    public boolean isFull() {
        if (!isApplying) {
            return false;
        }
        for (final ReplicaDisk disk : disks) {
            if (disk.filling().committedBytes() > WAITING_LIMIT_BYTES) {
                return true;
            }
        }
        return false;
    }

    /** Ranges of a disk that differ and are to be reported; by {@link #differingOffset} and {@link #reported}. */
    public int differing(final int disk) {
        return disks[disk].differences().size();
    }

    public long differingOffset(final int disk, final int index) {
        return disks[disk].differences().offset(index);
    }

    public void reported(final int disk, final int count) {
        disks[disk].differences().remove(count);
    }

    /**
     * The epoch up to which everything is applied and durable and all differences were reported: for the primary. Differences
     * that are found later belong to later epochs.
     */
    public long reportableEpoch() {
        final long applied = appliedEpoch;
        for (final ReplicaDisk disk : disks) {
            if (disk.differences().size() > 0) {
                return reportedEpoch;
            }
        }
        reportedEpoch = applied;
        return applied;
    }

    /** Why a disk could not be brought up to date; null while all is well. Any thread. */
    public String failure() {
        return failure;
    }

    /** Whether storage is waited for, for what has committed or what a guest here has written. Any thread. */
    public boolean isWritingOut() {
        if (isApplying && failure == null) {
            return true;
        }
        for (final ReplicaDisk disk : disks) {
            if (disk.isFlushing()) {
                return true;
            }
        }
        return false;
    }

    // ---------------------------------------------------------------- the applier's thread

    private void applyUntilClosed() {
        while (!isClosed) {
            if (!isApplying || failure != null) {
                LockSupport.park(this);
                continue;
            }
            final long epoch = handedEpoch;
            try {
                apply();
                appliedEpoch = epoch;
                isApplying = false;
                final DiskTrial begun = trial.get();
                if (begun != null) {
                    begun.reached();
                }
            } catch (final RuntimeException e) {
                // Whatever it is: a disk that may stand between two epochs must be nobody's.
                LOG.error("cannot apply epoch {}: {}", epoch, e.getMessage(), e instanceof LinuxException ? null : e);
                failTrial("the disk that is tried cannot be written: " + e.getMessage());
                failure = String.valueOf(e.getMessage());
            }
        }
    }

    private void apply() {
        final DiskTrial preservingTrial = preserving;
        for (int i = 0; i < disks.length; i++) {
            if (preservingTrial != null) {
                preservingTrial.preserve(i, disks[i].applying());
            }
            disks[i].apply();
        }
    }

    // ---------------------------------------------------------------- the standby's thread

    /**
     * Makes the disks fit for another session; the link has none.
     *
     * @return why they are not, null if they are
     */
    public String prepare(final long limitNanos) {
        if (disks.length == 0) {
            return null;
        }
        try {
            awaitApplied(limitNanos);
        } catch (final DiskImageException e) {
            return e.getMessage();
        }
        if (failure != null) {
            recoverAll();
        }
        if (failure == null) {
            for (final ReplicaDisk disk : disks) {
                disk.prepareSession();
            }
        }
        return failure;
    }

    private void recoverAll() {
        failTrial("the disk that is tried could not be written");
        try {
            for (final ReplicaDisk disk : disks) {
                disk.recover();
                disk.forgetApplying();
                disk.dropAll();
            }
            committedEpoch = handedEpoch;
            appliedEpoch = handedEpoch;
            isApplying = false;
            failure = null;
        } catch (final LinuxException e) {
            failure = e.getMessage();
        }
    }

    private void awaitApplied(final long limitNanos) {
        final long deadlineNanos = System.nanoTime() + limitNanos;
        while (failure == null && appliedEpoch != committedEpoch) {
            if (System.nanoTime() - deadlineNanos > 0 && appliedEpoch != committedEpoch) {
                throw new DiskImageException("the disks were not brought up to date within "
                        + limitNanos / 1_000_000_000L + " s: their storage is too slow or hangs");
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
    }

    /**
     * Waits until everything that has committed is on the disks, before a takeover; they stay what they are, copies of the primary's. The
     * link is sealed.
     *
     * @throws DiskImageException if that cannot be; the guest must not start
     */
    public void finishApplying(final long limitNanos) {
        if (disks.length == 0) {
            return;
        }
        awaitApplied(limitNanos);
        if (failure != null) {
            finishFailed();
        }
    }

    /**
     * After {@link #finishApplying}, makes sure that {@link #letWrite} has nothing left to wait for: from here on they are nobody's copies.
     *
     * @throws DiskImageException if that cannot be; the guest must not start
     */
    public void prepareTakeover() {
        prepareRelease();
    }

    /**
     * Waits until everything that has committed is on the disks, so that {@link #letWrite} has nothing left to wait for. The primary's
     * guest stands still, and may yet go on there.
     *
     * @throws DiskImageException if that cannot be
     */
    public void prepareMove(final long limitNanos) {
        if (disks.length == 0) {
            return;
        }
        awaitApplied(limitNanos);
        if (failure != null) {
            throw new DiskImageException("a disk cannot be written: " + failure);
        }
        prepareRelease();
    }

    private void prepareRelease() {
        // The guest's own writes are not preserved.
        failTrial("this host takes the guest over");
        try {
            for (final ReplicaDisk disk : disks) {
                disk.prepareRelease();
            }
        } catch (final LinuxException e) {
            throw new DiskImageException("a disk cannot be given to the guest: " + e.getMessage(), e);
        } catch (final IOException e) {
            throw new UncheckedIOException("a disk cannot be given to the guest: " + e.getMessage(), e);
        }
    }

    /**
     * Lets the guest write; after {@link #prepareMove}, or {@link #prepareTakeover}.
     *
     * @param generation of the guest here
     */
    public void letWrite(final long generation) {
        for (final ReplicaDisk disk : disks) {
            disk.release(generation);
        }
    }

    /** Whether no guest has written since {@link #letWrite}: another standby may begin with the same checkpoint. */
    public boolean isUntouched() {
        for (final ReplicaDisk disk : disks) {
            if (!disk.isUntouched()) {
                return false;
            }
        }
        return true;
    }

    /** The guest that was to run here does not: nobody may write. */
    public void closeGates() {
        for (final ReplicaDisk disk : disks) {
            disk.closeGate();
        }
    }

    /** What failed may have been for lack of room that somebody has made since: all that waits is still here. */
    private void finishFailed() {
        try {
            for (final ReplicaDisk disk : disks) {
                disk.recover();
                disk.applyRest();
            }
            appliedEpoch = committedEpoch;
            handedEpoch = committedEpoch;
            isApplying = false;
            failure = null;
        } catch (final LinuxException e) {
            throw new DiskImageException("the disks cannot be brought up to the last checkpoint: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        isClosed = true;
        for (final ReplicaDisk disk : disks) {
            // Nobody reports any more, and the applier would wait for room for ever.
            disk.differences().listen(false);
        }
        LockSupport.unpark(applier);
        try {
            applier.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (final ReplicaDisk disk : disks) {
            disk.close();
        }
    }
}
