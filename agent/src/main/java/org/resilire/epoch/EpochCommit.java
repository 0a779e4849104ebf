package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.NanoClock;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.sbe.EpochKind;

/**
 * Applies whole epochs to a replica, a bounded slice at a time so that the thread that does it stays responsive. An epoch that was
 * begun is always finished: the staged copy is complete. Not thread-safe.
 */
public final class EpochCommit implements AutoCloseable {

    /** Records between two looks at the clock. */
    private static final int RECORDS_A_LOOK = 16;

    private final PageBatchApplier applier;
    private final AnonymousMemory deviceState;
    private int deviceStateBytes;
    private long committedEpoch = -1;
    private boolean restorable;

    /** Of an epoch before those that are applied now; null if nobody wants one. */
    private ReplicaSnapshot snapshot;

    private EpochAssembler source;
    private long appliedBytes;

    public EpochCommit(final GuestMemory replica) {
        this.applier = new PageBatchApplier(replica.segment());
        this.deviceState = AnonymousMemory.reserve("the committed device state", EpochAssembler.MAX_DEVICE_STATE_BYTES);
    }

    /** Forgets what was committed: the replica was made empty. */
    public void reset() {
        source = null;
        restorable = false;
        committedEpoch = -1;
        deviceStateBytes = 0;
    }

    /** Begins to apply a complete epoch. */
    public void begin(final EpochAssembler complete) {
        if (!complete.isComplete()) {
            throw new IllegalStateException("epoch " + complete.epoch() + " is not complete");
        }
        source = complete;
        appliedBytes = 0;
    }

    /**
     * Goes on applying.
     *
     * @param clock tells when the slice is over
     * @param deadlineNanos in the clock's time; the slice ends a few microseconds after it
     * @return true once the epoch is wholly in the replica
     */
    public boolean applySlice(final NanoClock clock, final long deadlineNanos) {
        final MemorySegment records = source.pageRecords();
        final long end = source.pageRecordsBytes();
        final ReplicaSnapshot copy = snapshot;
        long at = appliedBytes;
        do {
            for (int i = 0; i < RECORDS_A_LOOK && at < end; i++) {
                if (copy != null) {
                    copy.beforeChange(PageRecord.page(records, at));
                }
                at = applier.applyOne(records, at);
            }
        } while (at < end && clock.nanoTime() - deadlineNanos < 0);
        appliedBytes = at;
        if (at < end) {
            return false;
        }
        if (source.kind() == EpochKind.CHECKPOINT) {
            deviceStateBytes = source.deviceStateBytes();
            MemorySegment.copy(source.deviceState(), 0, deviceState.segment(), 0, deviceStateBytes);
            restorable = true;
        } else {
            // Memory of no single instant: until the next checkpoint there is nothing to start from.
            restorable = false;
        }
        committedEpoch = source.epoch();
        source = null;
        return true;
    }

    /** Keeps a copy of what is committed now, while later epochs are applied; null for none. Between two epochs only. */
    public void snapshot(final ReplicaSnapshot newSnapshot) {
        if (source != null) {
            throw new IllegalStateException("a copy of a replica that an epoch is being applied to");
        }
        snapshot = newSnapshot;
    }

    public boolean inProgress() {
        return source != null;
    }

    /** True if the replica is a guest at one instant, ready to start. */
    public boolean isRestorable() {
        return restorable && source == null;
    }

    /** True if a checkpoint was applied, and nothing that is not one since; also while the next is being applied. */
    public boolean hasCheckpoint() {
        return restorable;
    }

    /** The last epoch applied, -1 if none. */
    public long committedEpoch() {
        return committedEpoch;
    }

    /** Device state of the last checkpoint. */
    public MemorySegment deviceState() {
        return deviceState.segment();
    }

    public int deviceStateBytes() {
        return deviceStateBytes;
    }

    @Override
    public void close() {
        deviceState.close();
    }
}
