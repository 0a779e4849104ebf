package org.resilire.backup;

import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.PageHasher;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.guest.GuestMemory;
import org.resilire.net.RedeliveryLog;
import org.resilire.net.replay.ReplayLog;

/** The copy of a guest's memory on this host with all that changes and checks it. Owned by one thread at a time. */
final class Replica implements AutoCloseable {

    private static final int REDELIVERY_BYTES = 4 << 20;

    private final GuestMemory memory;
    private final EpochAssembler assembler;
    private final EpochCommit commit;
    private final ReplicaVerification verification;

    private final RedeliveryLog redelivery = new RedeliveryLog(REDELIVERY_BYTES);
    private final ReplayLog replayLog = new ReplayLog(ReplayLog.DEFAULT_CAPACITY_BYTES);
    private long boundaryEpoch;
    private long boundaryPosition;
    private long committedNanos;
    private boolean replays;

    private final ReplicaDisks disks;

    /** Takes ownership of the memory, not of the disks. */
    Replica(final GuestMemory memory, final ReplicaDisks disks) {
        this.memory = memory;
        this.disks = disks;
        this.assembler = new EpochAssembler(memory.pageCount(), disks);
        this.commit = new EpochCommit(memory);
        this.verification = new ReplicaVerification(new PageHasher(memory));
    }

    /** Makes it all zero, as a new session expects it. */
    void clear() {
        commit.reset();
        redelivery.clear();
        replayLog.clear();
        boundaryEpoch = -1;
        replays = false;
        memory.zero();
    }

    GuestMemory memory() {
        return memory;
    }

    ReplicaDisks disks() {
        return disks;
    }

    EpochAssembler assembler() {
        return assembler;
    }

    EpochCommit commit() {
        return commit;
    }

    ReplicaVerification verification() {
        return verification;
    }

    /** Frames that the guest may not have seen at the last checkpoint. */
    RedeliveryLog redelivery() {
        return redelivery;
    }

    /** What arrived at the primary, and what left it, since the last checkpoint; empty if input is not replayed. */
    ReplayLog replayLog() {
        return replayLog;
    }

    /** The checkpoint of this epoch has seen the input log up to this position. */
    void inputBoundary(final long epoch, final long position) {
        boundaryEpoch = epoch;
        boundaryPosition = position;
    }

    /** The last epoch is in the memory: what it has seen need not be given to the guest again. */
    void committed(final long nowNanos) {
        final long epoch = commit.committedEpoch();
        committedNanos = nowNanos;
        redelivery.committed(epoch);
        replays = boundaryEpoch == epoch;
        if (replays) {
            replayLog.committed(epoch, boundaryPosition);
        }
    }

    /** Whether a guest that starts from here must be given its input again, as some of what it answered has left. */
    boolean replays() {
        return replays;
    }

    /** When the last epoch came into the memory. */
    long committedNanos() {
        return committedNanos;
    }

    @Override
    public void close() {
        replayLog.close();
        redelivery.close();
        assembler.close();
        commit.close();
        memory.close();
    }
}
