package org.resilire.backup;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.agrona.concurrent.NanoClock;
import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.ReplicaSnapshot;

/**
 * The copy of the replica that somebody wants: it begins between two epochs, is of the checkpoint that has committed last, and is made a
 * slice at a time beside those that come. One at a time. Link thread.
 */
final class ReplicaCopy implements AutoCloseable {

    /** What it may take at a time, between receiving and receiving. */
    private static final long SLICE_NANOS = 100_000L;

    private static final String SESSION_LOST = "the session with the primary ended while the replica was copied";

    private final Replica replica;
    private final EpochCommit commit;
    private final ReplicaDisks disks;
    private final NanoClock clock;

    /** Null while nobody wants one. */
    private SnapshotRequest request;

    /** Null until it begins. */
    private ReplicaSnapshot snapshot;

    private long epoch;
    private ByteBuffer deviceState;
    private long beganNanos;

    ReplicaCopy(final Replica replica, final NanoClock clock) {
        this.replica = replica;
        this.commit = replica.commit();
        this.disks = replica.disks();
        this.clock = clock;
    }

    /**
     * Takes a request, or refuses it.
     *
     * @param isOpen whether epochs arrive
     */
    void want(final SnapshotRequest wanted, final boolean isOpen) {
        if (request != null) {
            wanted.fail("a copy is being made already");
        } else if (!isOpen || !commit.hasCheckpoint()) {
            wanted.fail("there is no checkpoint to copy; wait until 'resilire status' says STANDBY_READY");
        } else {
            request = wanted;
        }
    }

    /** Goes on with it; only while epochs arrive. Returns 0 if there is nothing to do now. */
    int doWork(final long nowNanos) {
        if (request == null || commit.inProgress()) {
            return 0;
        }
        if (snapshot == null && request.disks().isPresent()) {
            if (!disks.isAllHandedOver()) {
                return 0;
            }
            disks.beginTrial(request.disks().get());
        }
        if (snapshot == null) {
            snapshot = new ReplicaSnapshot(replica.memory(), request.memory());
            epoch = commit.committedEpoch();
            deviceState = ByteBuffer.wrap(
                    commit.deviceState().asSlice(0, commit.deviceStateBytes()).toArray(ValueLayout.JAVA_BYTE));
            beganNanos = nowNanos;
            commit.snapshot(snapshot);
        }
        if (snapshot.copySlice(clock, clock.nanoTime() + SLICE_NANOS)) {
            end();
        }
        return 1;
    }

    private void end() {
        final SnapshotRequest wanted = request;
        final ReplicaSnapshot ended = snapshot;
        commit.snapshot(null);
        request = null;
        snapshot = null;
        if (ended.failure() != null) {
            wanted.fail(ended.failure());
        } else {
            wanted.result()
                    .complete(new SnapshotRequest.Done(
                            epoch,
                            deviceState,
                            ended.writtenPages(),
                            ended.writtenEarly(),
                            clock.nanoTime() - beganNanos));
        }
        deviceState = null;
    }

    /** The replica gets another owner. */
    void abandon() {
        if (request != null && snapshot == null) {
            request.fail(SESSION_LOST);
            request = null;
        } else if (snapshot != null && !commit.inProgress()) {
            snapshot.abort(SESSION_LOST);
            end();
        } else if (snapshot != null) {
            // Said once the epoch is applied.
            snapshot.abort(SESSION_LOST);
        }
    }

    /** Nobody need wait for it any more. */
    @Override
    public void close() {
        if (request != null) {
            request.fail("the agent ends");
        }
    }
}
