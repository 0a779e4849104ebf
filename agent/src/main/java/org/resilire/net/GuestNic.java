package org.resilire.net;

import org.agrona.concurrent.AgentRunner;
import org.resilire.linux.TapDevice;
import org.resilire.linux.UnixDatagramSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A guest's network with its thread: opens the guest's socket and the TAP device, and forwards from {@link #start} to {@link
 * #close}. One thread opens, starts and closes.
 */
public final class GuestNic implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GuestNic.class);

    /** Processors may be scarce: sleep at once when there is nothing to do, a frame wakes the thread. */
    private static final int SPINS = 2;

    private final GuestNetwork network;
    private final PollingIdleStrategy idle;
    private final AgentRunner runner;

    /** Made here, not when a takeover needs it. */
    private final FrameSink beforeAllOthers;

    private GuestNic(final GuestNetwork network, final PollingIdleStrategy idle, final AgentRunner runner) {
        this.network = network;
        this.idle = idle;
        this.runner = runner;
        beforeAllOthers = network::deliverFirst;
    }

    /**
     * Opens both ends; nothing is forwarded yet.
     *
     * @param inputLog has every frame before the guest does
     * @param emissions sees what leaves while input is replayed
     * @param heldOutputListener hears when an epoch has output that waits
     */
    public static GuestNic open(
            final GuestNicConfig config,
            final OutputEpochs epochs,
            final InboundLog inputLog,
            final EmissionListener emissions,
            final HeldOutputListener heldOutputListener) {
        NetworkRehearsal.run(config.agentSocket());
        final TapDevice tap = TapDevice.open(config.tap());
        final UnixDatagramSocket socket;
        try {
            socket = UnixDatagramSocket.bind(config.agentSocket(), config.guestSocket());
        } catch (final RuntimeException e) {
            tap.close();
            throw e;
        }
        final GuestNetwork network = new GuestNetwork(new GuestNetworkContext()
                .guestSocket(socket)
                .uplink(new TapUplink(tap))
                .epochs(epochs)
                .inputLog(inputLog)
                .emissionListener(emissions)
                .heldOutputListener(heldOutputListener)
                .gateCapacityBytes(config.gateBytes()));
        final PollingIdleStrategy idle =
                new PollingIdleStrategy(network, epochs, SPINS, PollingIdleStrategy.DEFAULT_MAX_WAIT_NANOS);
        final AgentRunner runner = new AgentRunner(
                idle, error -> LOG.error("guest network: {}", error.getMessage(), error), null, network);
        return new GuestNic(network, idle, runner);
    }

    /**
     * Gives the guest these frames before all others, and drops what has come in since the NIC was opened: it may be old.
     * Before {@link #start}. Returns the number of frames.
     */
    public int deliverFirst(final RedeliveryLog log) {
        network.discardInbound();
        return log.deliver(beforeAllOthers);
    }

    /** As {@link #deliverFirst}, for input replay, which from then on stands between guest and world. */
    public void replay(final FrameReplay replay) {
        network.discardInbound();
        network.replay(replay);
    }

    /** For what one thread beside the network's asks it. */
    GuestNetwork network() {
        return network;
    }

    /** Starts forwarding. */
    public void start() {
        AgentRunner.startOnThread(runner);
    }

    /** What was counted; any thread. */
    public NetworkCounters counters() {
        return network.counters();
    }

    @Override
    public void close() {
        runner.close();
        idle.close();
    }
}
