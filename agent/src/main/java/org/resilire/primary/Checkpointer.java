package org.resilire.primary;

import java.util.function.LongConsumer;
import org.agrona.concurrent.NanoClock;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.PageHasher;
import org.resilire.fault.FailurePoint;
import org.resilire.fault.FailurePoints;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.Guest;
import org.resilire.guest.PageRuns;
import org.resilire.net.GateMode;
import org.resilire.net.OutputEpochs;
import org.resilire.wire.sbe.EpochKind;

/**
 * Makes one checkpoint: pause, save the device state and meanwhile capture what changed in memory, begin the next epoch, resume.
 * Used by the checkpoint thread only; allocates nothing in steady state.
 */
final class Checkpointer {

    /** How many runs of dirty pages are taken from the tracker at a time. */
    static final int RUNS_AT_A_TIME = 8192;

    private final Guest guest;
    private final DirtyTracker tracker;
    private final EpochWriter writer;
    private final OutputEpochs outputEpochs;
    private final GuestDisks disks;
    private final PageHasher hasher;
    private final FailurePoints failurePoints;
    private final NanoClock clock;
    private final LongConsumer beforePause;
    private final PageRuns runs = new PageRuns(RUNS_AT_A_TIME);

    private long pausedAtNanos;
    private long pauseNanos;
    private long scanNanos;
    private long dirtyPages;
    private long pagesAhead;

    /** The epoch of which something was captured while the guest ran; -1 for none. */
    private long epochAhead = -1;

    /** For tests: what is left out of every epoch; null to leave nothing out. */
    private PageToWithhold toWithhold;

    Checkpointer(
            final Guest guest,
            final EpochWriter writer,
            final OutputEpochs outputEpochs,
            final GuestDisks disks,
            final FailurePoints failurePoints,
            final NanoClock clock) {
        this(guest, writer, outputEpochs, disks, failurePoints, clock, epoch -> {});
    }

    /** @param beforePause told the number of each checkpoint before the guest is paused for it */
    Checkpointer(
            final Guest guest,
            final EpochWriter writer,
            final OutputEpochs outputEpochs,
            final GuestDisks disks,
            final FailurePoints failurePoints,
            final NanoClock clock,
            final LongConsumer beforePause) {
        this.beforePause = beforePause;
        this.guest = guest;
        this.tracker = guest.dirtyTracker();
        this.writer = writer;
        this.outputEpochs = outputEpochs;
        this.disks = disks;
        this.hasher = new PageHasher(guest.memory());
        this.failurePoints = failurePoints;
        this.clock = clock;
    }

    /**
     * Begins the checkpoint that is to end an epoch while the guest still runs: captures what was written so far, each page once.
     * A page that the guest writes meanwhile or later is dirty again: it is captured once more in the pause and comes after this in
     * the stream, so that whatever was torn here is overwritten there. The encoder must be through with everything before this and
     * before {@link #checkpoint}.
     */
    void captureAhead(final long epoch) {
        begin(epoch);
        epochAhead = epoch;
        captureDirtyPages();
        writer.flush();
        pagesAhead = dirtyPages;
    }

    /** Nothing has been captured ahead: what was, went with its session. */
    void beginSession() {
        epochAhead = -1;
    }

    private void begin(final long epoch) {
        writer.begin(epoch, EpochKind.CHECKPOINT);
        dirtyPages = 0;
        pagesAhead = 0;
    }

    /**
     * Makes the checkpoint that ends an epoch.
     *
     * @param epoch its number
     * @param withHashes adds a hash of every page, taken in the same pause, for the backup to compare; the pause gets much longer
     */
    void checkpoint(final long epoch, final boolean withHashes) {
        checkpoint(epoch, withHashes, true);
    }

    /** Makes the checkpoint that ends an epoch and leaves the guest paused in it; if that fails, the guest runs. */
    void lastCheckpoint(final long epoch) {
        checkpoint(epoch, false, false);
    }

    private void checkpoint(final long epoch, final boolean withHashes, final boolean goesOn) {
        if (epochAhead != epoch) {
            begin(epoch);
        }
        epochAhead = -1;
        scanNanos = 0;
        beforePause.accept(epoch);
        pausedAtNanos = clock.nanoTime();
        disks.beforePause();
        final int deviceStateBytes;
        boolean isTaken = false;
        try {
            guest.pause();
            writer.pauseBegan();
            guest.beginDeviceStateSave();
            captureDirtyPages();
            failurePoints.killIfFires(FailurePoint.PRIMARY_HALT_WHILE_PAUSED);
            deviceStateBytes = guest.finishDeviceStateSave(writer.deviceState());
            if (withHashes) {
                writer.pageHashes(hasher);
            }
            // What the guest sends from here on must wait for the next epoch (law 1): both stand before it runs again.
            outputEpochs.beginEpoch(epoch + 1);
            disks.beginEpoch(epoch + 1);
            final GateMode mode = outputEpochs.modeWhileProtected();
            if (outputEpochs.mode() != mode) {
                outputEpochs.changeMode(mode);
            }
            isTaken = true;
        } finally {
            disks.beforeResume();
            if (goesOn || !isTaken) {
                guest.resume();
            }
            writer.pauseEnded();
            pauseNanos = clock.nanoTime() - pausedAtNanos;
            disks.afterPause(epoch);
        }
        writer.captureDeviceState(deviceStateBytes);
        writer.end();
    }

    private void captureDirtyPages() {
        boolean complete;
        do {
            final long scanStartNanos = clock.nanoTime();
            complete = tracker.collect(runs);
            scanNanos += clock.nanoTime() - scanStartNanos;
            dirtyPages += runs.totalPages();
            if (failurePoints.fires(FailurePoint.WITHHOLD_DIRTY_PAGE)) {
                toWithhold = new PageToWithhold(guest.memory().segment());
            }
            if (toWithhold == null) {
                writer.capture(runs);
            } else {
                captureAllBut(toWithhold.find(runs));
            }
        } while (!complete);
    }

    private void captureAllBut(final long withheld) {
        for (int i = 0; i < runs.size(); i++) {
            final long first = runs.firstPage(i);
            final long count = runs.pageCount(i);
            if (first <= withheld && withheld < first + count) {
                writer.capture(first, withheld - first);
                writer.capture(withheld + 1, first + count - withheld - 1);
            } else {
                writer.capture(first, count);
            }
        }
    }

    /** When the last checkpoint asked the guest to stop. */
    long pausedAtNanos() {
        return pausedAtNanos;
    }

    /** From asking the guest to stop until it confirmed that it runs again. */
    long pauseNanos() {
        return pauseNanos;
    }

    /** How long the last checkpoint waited for the tracker, within the pause. */
    long scanNanos() {
        return scanNanos;
    }

    /** How many pages of the last checkpoint were captured before the pause. */
    long pagesAhead() {
        return pagesAhead;
    }

    /** True if the checkpoint that ends this epoch has been begun ahead. */
    boolean isAhead(final long epoch) {
        return epochAhead == epoch;
    }

    /** Pages that the tracker reported for the last checkpoint. */
    long dirtyPages() {
        return dirtyPages;
    }
}
