package org.resilire.net;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/**
 * Runs the network's code for a guest and an uplink that are none, so that it is loaded, linked and compiled before anybody waits
 * for a frame: on a standby its first use is in the middle of a failover, where it would cost a tenth of a second.
 */
final class NetworkRehearsal {

    private static final int ROUNDS = 2_000;
    private static final int FRAMES_A_ROUND = 4;
    private static final int FRAME_BYTES = 100;
    private static final int FRAME_CAPACITY_BYTES = 2_048;
    private static final long NO_WAIT_NANOS = 1_000;
    private static final int LOG_BYTES = 64 << 10;

    private NetworkRehearsal() {}

    /**
     * Takes some tenths of a second.
     *
     * @param socket where the agent's socket will be; those of the rehearsal stand beside it
     */
    static void run(final Path socket) {
        final Path agentEnd = socket.resolveSibling(socket.getFileName() + ".r1");
        final Path guestEnd = socket.resolveSibling(socket.getFileName() + ".r2");
        try (OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);
                UnixDatagramSocket guest = UnixDatagramSocket.bind(guestEnd, agentEnd);
                FrameBatch batch = new FrameBatch(FRAMES_A_ROUND, FRAME_CAPACITY_BYTES);
                RedeliveryLog log = new RedeliveryLog(LOG_BYTES)) {
            final GuestNetwork network = new GuestNetwork(new GuestNetworkContext()
                    .guestSocket(UnixDatagramSocket.bind(agentEnd, guestEnd))
                    .uplink(new EndlessUplink())
                    .epochs(epochs));
            try (PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 0, NO_WAIT_NANOS)) {
                deliverFirst(network, log);
                for (int round = 1; round <= ROUNDS; round++) {
                    rehearse(round, epochs, guest, batch, network, idle);
                }
            } finally {
                network.onClose();
            }
        }
    }

    /** What comes before all else when a guest is taken over. */
    private static void deliverFirst(final GuestNetwork network, final RedeliveryLog log) {
        network.discardInbound();
        log.add(1, new UnsafeBuffer(new byte[FRAME_BYTES]), 0, FRAME_BYTES);
        log.deliver(network::deliverFirst);
    }

    private static void rehearse(
            final int round,
            final OutputEpochs epochs,
            final UnixDatagramSocket guest,
            final FrameBatch batch,
            final GuestNetwork network,
            final PollingIdleStrategy idle) {
        epochs.beginEpoch(round);
        for (int i = 0; i < FRAMES_A_ROUND; i++) {
            batch.frameLengthBytes(i, FRAME_BYTES);
        }
        guest.send(batch, 0, FRAMES_A_ROUND);
        network.doWork();
        epochs.acknowledge(round);
        network.doWork();
        guest.receive(batch);
        idle.idle(0);
    }

    /** A frame at each second look, and room for all. */
    private static final class EndlessUplink implements Uplink {

        private boolean hasFrame;

        @Override
        public String name() {
            return "rehearsal";
        }

        @Override
        public int read(final MemorySegment into, final long offset, final int capacityBytes) {
            hasFrame = !hasFrame;
            return hasFrame ? FRAME_BYTES : 0;
        }

        @Override
        public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
            return true;
        }

        @Override
        public int descriptor() {
            return NO_DESCRIPTOR;
        }

        @Override
        public long failedWrites() {
            return 0;
        }

        @Override
        public void close() {
            // Nothing was opened.
        }
    }
}
