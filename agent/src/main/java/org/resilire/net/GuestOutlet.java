package org.resilire.net;

import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;
import org.resilire.net.replay.EmissionRecorder;
import org.resilire.net.replay.EmittedFlows;
import org.resilire.net.replay.ReplayController;

/**
 * A guest's way to the world on one host: its NIC, the epochs that its output waits for and the log of what came in. It outlives
 * the role that opened it: a backup whose standby has become the guest hands it, running, to the primary that protects the guest
 * from then on, so that there is no moment without network.
 *
 * <p>One thread opens, starts and closes.
 */
public final class GuestOutlet implements AutoCloseable {

    private static final long TAKEN_POLL_NANOS = 100_000L;

    private final OutputEpochs epochs;
    private final InboundLog inboundLog;
    private final OutputSignal signal;
    private final GuestNic nic;
    /** Null without a NIC. */
    private final InputBoundary boundary;

    private volatile ReplayController replay;
    private boolean isStarted;

    private GuestOutlet(
            final OutputEpochs epochs, final InboundLog inboundLog, final OutputSignal signal, final GuestNic nic) {
        this.epochs = epochs;
        this.inboundLog = inboundLog;
        this.signal = signal;
        this.nic = nic;
        boundary = nic == null
                ? null
                : new InputBoundary(
                        nic.network(),
                        inboundLog,
                        SystemNanoClock.INSTANCE,
                        () -> LockSupport.parkNanos(TAKEN_POLL_NANOS));
    }

    /** Opens all of it; output is discarded and nothing is forwarded yet. */
    public static GuestOutlet open(final Optional<GuestNicConfig> config) {
        final OutputEpochs epochs = new OutputEpochs(GateMode.DISCARD);
        InboundLog inboundLog = null;
        try {
            // Epochs are numbered from 1, so that "none yet" is 0.
            epochs.beginEpoch(1);
            inboundLog = new InboundLog(epochs, InboundLog.DEFAULT_CAPACITY_BYTES);
            final OutputSignal signal = new OutputSignal();
            final GuestNic nic = config.isEmpty()
                    ? null
                    : GuestNic.open(config.get(), epochs, inboundLog, new EmissionRecorder(newFlows()), signal);
            return new GuestOutlet(epochs, inboundLog, signal, nic);
        } catch (final RuntimeException e) {
            CloseHelper.quietCloseAll(inboundLog, epochs);
            throw e;
        }
    }

    private static EmittedFlows newFlows() {
        return new EmittedFlows(EmittedFlows.DEFAULT_CAPACITY, new SecureRandom().nextLong());
    }

    /** Starts forwarding, unless that was done before. */
    public void start() {
        if (nic != null && !isStarted) {
            nic.start();
        }
        isStarted = true;
    }

    /**
     * Gives the guest these frames before all others, see {@link GuestNic#deliverFirst}; before {@link #start}. Returns the number
     * of frames.
     */
    public int deliverFirst(final RedeliveryLog log) {
        return nic == null || isStarted ? 0 : nic.deliverFirst(log);
    }

    /**
     * Has a replay stand between the guest and the world from the start on, and owns it; before {@link #start}.
     *
     * @return false if there is no network, or it runs already: then nothing was done
     */
    public boolean replay(final ReplayController controller) {
        if (nic == null || isStarted) {
            return false;
        }
        replay = controller;
        nic.replay(controller);
        return true;
    }

    /** What a replay has counted, if there was one; any thread. */
    public Optional<ReplayController> replay() {
        return Optional.ofNullable(replay);
    }

    /**
     * Before the guest is paused at the end of an epoch: notes what of the input its checkpoint will have seen. Begins to log where
     * input is replayed, once the guest has taken what came before. Checkpoint thread.
     */
    public void markInputBoundary(final long epoch) {
        if (boundary == null) {
            inboundLog.markBoundary(epoch);
        } else {
            boundary.mark(epoch);
        }
    }

    /** Which epoch runs, which is safe, and what becomes of output. */
    public OutputEpochs epochs() {
        return epochs;
    }

    /** What came in while output was held. */
    public InboundLog inboundLog() {
        return inboundLog;
    }

    /** Wakes whoever ends epochs when output waits. */
    public OutputSignal signal() {
        return signal;
    }

    /** Whether the guest has a network here. */
    public boolean hasNic() {
        return nic != null;
    }

    /** What was counted, if there is a NIC; any thread. */
    public Optional<NetworkCounters> counters() {
        return nic == null ? Optional.empty() : Optional.of(nic.counters());
    }

    @Override
    public void close() {
        // The network's thread uses the other two.
        CloseHelper.closeAll(nic, replay, inboundLog, epochs);
    }
}
