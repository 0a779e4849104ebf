package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;
import org.resilire.synthetic.Garbage;

class GuestNetworkAllocationTest {

    private static final int WARM_UP_ROUNDS = 30_000;
    private static final int MEASURED_ROUNDS = 5_000;
    private static final int FRAMES_A_ROUND = 4;

    /** For what the runtime itself does now and then on this thread, as compiled code is replaced. */
    private static final long TOLERATED_BYTES = 64 << 10;

    @TempDir
    Path directory;

    @Test
    void shouldAllocateNothingInSteadyState() {
        final CountingUplink uplink = new CountingUplink();
        try (OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);
                UnixDatagramSocket guest = TestNic.guestEnd(directory);
                FrameBatch batch = new FrameBatch(FRAMES_A_ROUND, 2_048)) {
            for (int i = 0; i < FRAMES_A_ROUND; i++) {
                batch.frameLengthBytes(i, TestFrames.LENGTH_BYTES);
            }
            final GuestNetwork network = new GuestNetwork(TestNic.context(directory, epochs, uplink));
            try (PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 0, 1_000)) {
                final Rounds rounds = new Rounds(network, idle, epochs, guest, batch, uplink);
                rounds.run(WARM_UP_ROUNDS);
                Garbage.assertBelow(
                        TOLERATED_BYTES,
                        MEASURED_ROUNDS + " rounds of " + FRAMES_A_ROUND + " frames",
                        () -> rounds.run(MEASURED_ROUNDS));
                // Each round is an epoch.
                assertEquals(FRAMES_A_ROUND * epochs.currentEpoch(), uplink.written.get());
            } finally {
                network.onClose();
            }
        }
    }

    /** Frames both ways, an epoch, its acknowledgement, its output, and a sleep. */
    private record Rounds(
            GuestNetwork network,
            PollingIdleStrategy idle,
            OutputEpochs epochs,
            UnixDatagramSocket guest,
            FrameBatch batch,
            CountingUplink uplink) {

        void run(final int count) {
            for (int i = 0; i < count; i++) {
                final long epoch = epochs.currentEpoch() + 1;
                epochs.beginEpoch(epoch);
                int sent = 0;
                while (sent < FRAMES_A_ROUND) {
                    sent += guest.send(batch, sent, FRAMES_A_ROUND - sent);
                    network.doWork();
                }
                uplink.framesToRead.set(2);
                network.doWork();
                guest.receive(batch);
                for (int frame = 0; frame < FRAMES_A_ROUND; frame++) {
                    batch.frameLengthBytes(frame, TestFrames.LENGTH_BYTES);
                }
                epochs.acknowledge(epoch);
                network.doWork();
                idle.idle(0);
            }
        }
    }
}
