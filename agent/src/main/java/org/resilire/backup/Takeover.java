package org.resilire.backup;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
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

    /** Why a takeover did not happen; the standby is used up and must be replaced. */
    static final class FailedException extends Exception {

        private static final long serialVersionUID = 1L;

        FailedException(final String message) {
            super(message);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private final Optional<Fence> fence;
    private final ProtectionRecord record;
    private final ExecutorService fencing;

    /** @param fencing runs the fence command beside the loading */
    Takeover(final Optional<Fence> fence, final ProtectionRecord record, final ExecutorService fencing) {
        this.fence = fence;
        this.record = record;
        this.fencing = fencing;
    }

    /**
     * Takes over; on failure the guest does not run here.
     *
     * @param primaryProvenStopped the primary's own agent said that its guest is gone: nothing is left to fence
     * @param openNetwork called before the guest runs
     */
    void run(
            final Replica replica,
            final Standby standby,
            final boolean primaryProvenStopped,
            final Runnable openNetwork)
            throws FailedException {
        final CompletableFuture<Fence.Result> proof = primaryProvenStopped || fence.isEmpty()
                ? CompletableFuture.completedFuture(new Fence.Result(
                        true,
                        primaryProvenStopped
                                ? "the primary's agent saw its guest end"
                                : "nothing to prove (--no-fence)"))
                : CompletableFuture.supplyAsync(fence.get()::run, fencing);
        standby.load(replica.commit().deviceState(), replica.commit().deviceStateBytes());
        final Fence.Result result = proof.join();
        if (!result.proven()) {
            throw new FailedException(
                    "the primary may still run, so this host does not take over: " + result.explanation());
        }
        LOG.info("primary is stopped: {}", result.explanation());
        record.adoptGeneration(record.generation() + 1);
        openNetwork.run();
        // From here on it must not die with this agent; an agent that dies just now leaves it paused, which is safe.
        standby.release();
        standby.resume();
        try {
            standby.announce();
        } catch (final GuestException e) {
            // It runs: what is missing is found by the guest's next frame.
            LOG.warn("the guest runs here, but could not announce it: {}", e.getMessage());
        }
    }
}
