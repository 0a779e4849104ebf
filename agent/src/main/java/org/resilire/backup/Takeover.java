package org.resilire.backup;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import org.agrona.concurrent.NanoClock;
import org.resilire.failover.Fence;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a standby into the guest: proves the primary stopped while the standby already loads its device state (it stays paused),
 * raises the generation, opens the network, lets the guest run and announces it.
 */
final class Takeover {

    /** Why the guest was not started; the replica is as it was. */
    static final class RefusedException extends Exception {

        private static final long serialVersionUID = 1L;

        RefusedException(final String message) {
            super(message);
        }
    }

    /** The standby did not do as asked. Another one may, over the same replica, unless this one may have changed that. */
    static final class StandbyFailedException extends Exception {

        private static final long serialVersionUID = 1L;
        private final transient Mandate next;
        private final boolean mayHaveRun;

        StandbyFailedException(final GuestException cause, final Mandate next, final boolean mayHaveRun) {
            super(cause.getMessage(), cause);
            this.next = next;
            this.mayHaveRun = mayHaveRun;
        }

        /** Whether the guest may have run for a moment: then memory and disks are those of no checkpoint. */
        boolean mayHaveRun() {
            return mayHaveRun;
        }

        /** The right that is left: a primary that was proven stopped stays so. */
        Mandate next() {
            return next;
        }
    }

    /** What the fence said, and by when the primary was stopped if it is proven. */
    private record Proof(Fence.Result result, long atNanos) {}

    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private static final long DISK_LIMIT_NANOS = 60_000_000_000L;

    /** The primary's guest stands still, and its agent soon loses patience. */
    private static final long MOVE_DISK_LIMIT_NANOS = 5_000_000_000L;

    private final Optional<Fence> fence;
    private final ProtectionRecord record;
    private final ExecutorService fencing;
    private final NanoClock clock;

    /** @param fencing runs the fence command beside the loading */
    Takeover(
            final Optional<Fence> fence,
            final ProtectionRecord record,
            final ExecutorService fencing,
            final NanoClock clock) {
        this.fence = fence;
        this.record = record;
        this.fencing = fencing;
        this.clock = clock;
    }

    /**
     * Takes over; if it throws, the guest does not run here.
     *
     * @param openNetwork called before the guest runs
     * @return what is known of the primary
     */
    String run(final Replica replica, final Standby standby, final Mandate mandate, final Runnable openNetwork)
            throws RefusedException, StandbyFailedException {
        final boolean fenced = fence.isPresent() && !mandate.primaryStopped();
        // A fence that succeeds has done so within its time-out: the primary is stopped while it still holds its
        // output.
        requireMandate(mandate, clock.nanoTime() + (fenced ? fence.get().timeoutNanos() : 0));
        final CompletableFuture<Proof> fencingEnd = fenced
                ? CompletableFuture.supplyAsync(this::fence, fencing)
                : CompletableFuture.completedFuture(new Proof(
                        new Fence.Result(
                                mandate.primaryStopped(),
                                mandate.primaryStopped() ? mandate.reason() : "nothing was proven (--no-fence)"),
                        clock.nanoTime()));
        final GuestException loadFailure = load(replica, standby);
        final Proof proof = fencingEnd.join();
        final Fence.Result result = proof.result();
        if (fenced && !result.proven()) {
            throw new RefusedException(
                    "the primary may still run, so this host does not take over: " + result.explanation());
        }
        if (fenced) {
            // A host that stood still before or within the fence stops the primary later than it was to.
            requireMandate(mandate, proof.atNanos());
        }
        final Mandate left = result.proven() ? Mandate.becauseStopped(result.explanation()) : mandate;
        if (loadFailure != null) {
            throw new StandbyFailedException(loadFailure, left, false);
        }
        // Whatever the guest finds on its disks must be there to stay, and that of its checkpoint.
        replica.disks().finishApplying(DISK_LIMIT_NANOS);
        // Refused here, all is as it was: the disks are still the copies that the primary knows.
        requireMandate(left, clock.nanoTime());
        replica.disks().prepareTakeover();
        // That waits for storage, too.
        requireMandate(left, clock.nanoTime());
        replica.disks().letWrite(record.generation() + 1);
        record.adoptGeneration(record.generation() + 1);
        openNetwork.run();
        start(standby, left);
        return result.explanation();
    }

    private Proof fence() {
        final Fence.Result result = fence.orElseThrow().run();
        return new Proof(result, clock.nanoTime());
    }

    /** Throws if the primary may have let out, by that time, what is not in the replica. */
    private static void requireMandate(final Mandate mandate, final long atNanos) throws RefusedException {
        if (!mandate.allowsAt(atNanos)) {
            final long lateNanos = atNanos - mandate.endNanos();
            throw new RefusedException("this host was busy or cut off for " + lateNanos / 1_000_000
                    + " ms too long to take over by itself: the primary may have gone on unprotected, and what it"
                    + " answered since is not here");
        }
    }

    /**
     * Gives a standby the state of the last checkpoint, and meanwhile brings the disks there, so that the guest need but be let run.
     * Returns null, or why it cannot be.
     */
    GuestException prepareSwitchover(final Replica replica, final Standby standby) {
        final CompletableFuture<Void> disks = replica.disks().isEmpty()
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.runAsync(() -> replica.disks().prepareMove(MOVE_DISK_LIMIT_NANOS), fencing);
        final GuestException loadFailure = load(replica, standby);
        try {
            disks.join();
        } catch (final CompletionException e) {
            return new GuestException(String.valueOf(e.getCause().getMessage()), e);
        }
        return loadFailure;
    }

    /**
     * Starts the guest that a primary has given away, on a standby that has its state, after {@link #prepareSwitchover}; if it throws,
     * the guest does not run here.
     *
     * @param generation the guest's from here on
     * @param openNetwork called before the guest runs
     */
    void acceptSwitchover(
            final Replica replica, final Standby standby, final long generation, final Runnable openNetwork)
            throws StandbyFailedException {
        record.adoptGeneration(generation);
        replica.disks().letWrite(generation);
        openNetwork.run();
        start(standby, Mandate.becauseStopped("the primary has given the guest away"));
    }

    /** Gives a standby the state of the last checkpoint, unless it has it; returns null, or why it does not take it. */
    static GuestException load(final Replica replica, final Standby standby) {
        if (standby.isLoaded()) {
            // In a switchover that was broken off: nothing has changed in the replica since.
            return null;
        }
        try {
            standby.load(replica.commit().deviceState(), replica.commit().deviceStateBytes());
            return null;
        } catch (final GuestException e) {
            return e;
        }
    }

    private static void start(final Standby standby, final Mandate left) throws StandbyFailedException {
        // From here on it must not die with this agent; an agent that dies just now leaves it paused, which is safe.
        standby.release();
        try {
            standby.resume();
        } catch (final GuestException e) {
            // Whatever state it is in: nothing may run over the replica beside the next one.
            standby.kill();
            throw new StandbyFailedException(e, left, !e.isRefusal());
        }
        try {
            standby.announce();
        } catch (final GuestException e) {
            // It runs: what is missing is found by the guest's next frame.
            LOG.warn("the guest runs here, but could not announce it: {}", e.getMessage());
        }
    }
}
