package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.agrona.concurrent.AgentRunner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/**
 * The labelling rule under fire: a guest that sends without pause, a checkpoint thread that stops it for an instant and goes
 * on to the next epoch, acknowledgements as early as they may come, and an oracle at the uplink, that reads in each frame
 * which epoch sent it.
 */
class OutputCommitTest {

    private static final int EPOCHS = 3_000;
    /** At most, however long the checkpoint thread is off its processor: far less than there is room for. */
    private static final int FRAMES_AN_EPOCH = 10_000;

    @TempDir
    Path directory;

    /** Held while the guest runs; whoever else holds it has paused the guest. */
    private final ReentrantLock running = new ReentrantLock();

    private final OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);
    private final AtomicLong tooEarly = new AtomicLong();
    private final AtomicLong outOfOrder = new AtomicLong();
    private final AtomicLong left = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();
    private volatile boolean isEnding;

    /** Guarded by {@link #running}: what the guest itself knows of epochs. */
    private long guestEpoch;

    @Test
    void shouldLabelNeverTooEarly() throws Exception {
        final UnixDatagramSocket agentSide =
                UnixDatagramSocket.bind(directory.resolve("agent"), directory.resolve("guest"));
        final GuestNetwork network = new GuestNetwork(
                new GuestNetworkContext().guestSocket(agentSide).epochs(epochs).uplink(new Oracle()));
        final PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs);
        final AgentRunner runner = new AgentRunner(idle, error -> tooEarly.incrementAndGet(), null, network);
        AgentRunner.startOnThread(runner);
        final Thread guest = Thread.ofPlatform().start(this::runGuest);
        for (long epoch = 1; epoch <= EPOCHS; epoch++) {
            final long before = sent.get();
            TestFrames.await(() -> sent.get() > before);
            running.lock();
            try {
                epochs.beginEpoch(epoch);
                guestEpoch = epoch;
            } finally {
                running.unlock();
            }
            // What ended is safe at once: the earliest that a frame labelled too early could betray itself.
            epochs.acknowledge(epoch - 1);
        }
        isEnding = true;
        guest.join();
        epochs.acknowledge(EPOCHS);
        TestFrames.await(() -> left.get() == sent.get());
        runner.close();
        idle.close();
        epochs.close();

        assertEquals(0, tooEarly.get(), "frames that left before their epoch was acknowledged");
        assertEquals(0, outOfOrder.get());
        assertTrue(sent.get() >= EPOCHS, "every epoch had output");
        assertEquals(0, network.counters().value(NetworkCounter.DROPPED_FRAMES_OUT));
    }

    private void runGuest() {
        try (UnixDatagramSocket socket =
                        UnixDatagramSocket.bind(directory.resolve("guest"), directory.resolve("agent"));
                FrameBatch batch = new FrameBatch(1, 64)) {
            batch.frameLengthBytes(0, 2 * Long.BYTES);
            long lastEpoch = -1;
            int sentInEpoch = 0;
            while (!isEnding) {
                running.lock();
                try {
                    sentInEpoch = guestEpoch == lastEpoch ? sentInEpoch : 0;
                    lastEpoch = guestEpoch;
                    batch.memory().set(JAVA_LONG_UNALIGNED, 0, guestEpoch);
                    batch.memory().set(JAVA_LONG_UNALIGNED, Long.BYTES, sent.get());
                    if (sentInEpoch < FRAMES_AN_EPOCH && socket.send(batch, 0, 1) == 1) {
                        sentInEpoch++;
                        sent.incrementAndGet();
                    }
                } finally {
                    running.unlock();
                }
            }
        }
    }

    /** Where output leaves the host. */
    private final class Oracle extends CountingUplink {
        @Override
        public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
            final long sentInEpoch = frames.get(JAVA_LONG_UNALIGNED, offset);
            final long number = frames.get(JAVA_LONG_UNALIGNED, offset + Long.BYTES);
            if (sentInEpoch > epochs.acknowledgedEpoch()) {
                tooEarly.incrementAndGet();
            }
            if (number != left.get()) {
                outOfOrder.incrementAndGet();
            }
            left.incrementAndGet();
            return super.write(frames, offset, lengthBytes);
        }
    }
}
