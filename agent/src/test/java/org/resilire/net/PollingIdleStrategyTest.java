package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import org.agrona.concurrent.AgentRunner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

class PollingIdleStrategyTest {

    /** So long that a wake-up that is missed is seen as a test that fails. */
    private static final long FOREVER_NANOS = Duration.ofSeconds(60).toNanos();

    private static final long SOON_NANOS = Duration.ofSeconds(5).toNanos();
    private static final int ROUNDS = 200;

    @TempDir
    Path directory;

    private final OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);
    private final CountingUplink uplink = new CountingUplink();
    private final FrameBatch batch = new FrameBatch(1, 64);
    private UnixDatagramSocket guest;
    private GuestNetwork network;

    @BeforeEach
    void start() {
        guest = TestNic.guestEnd(directory);
        network = new GuestNetwork(TestNic.context(directory, epochs, uplink));
    }

    @AfterEach
    void close() {
        guest.close();
        batch.close();
        epochs.close();
    }

    @Test
    void shouldWakeAtOnceWhenFramesComeOrAreReleased() {
        final PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 0, FOREVER_NANOS);
        final AgentRunner runner = new AgentRunner(
                idle,
                error -> {
                    throw new AssertionError(error);
                },
                null,
                network);
        AgentRunner.startOnThread(runner);
        long slowestNanos = 0;
        for (int epoch = 1; epoch <= ROUNDS; epoch++) {
            epochs.beginEpoch(epoch);
            final long held = epoch;
            TestFrames.send(guest, batch, TestFrames.frame(epoch));
            TestFrames.await(() -> network.newestHeldEpoch() == held);
            final long releasedAt = System.nanoTime();
            epochs.acknowledge(epoch);
            TestFrames.await(() -> uplink.written.get() == held);
            slowestNanos = Math.max(slowestNanos, System.nanoTime() - releasedAt);
        }
        runner.close(10, stillAsleep -> epochs.changeMode(GateMode.PASS));
        idle.close();
        assertTrue(slowestNanos < SOON_NANOS, "slowest: " + slowestNanos + " ns");
    }

    @Test
    void shouldCostNoProcessorTimeWhileNothingHappens() {
        final long maxWaitNanos = 5_000_000;
        final int waits = 40;
        try (PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 0, maxWaitNanos)) {
            // Wakes it once, not for ever.
            epochs.changeMode(GateMode.PASS);
            idle.idle(0);
            final long cpuBefore = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            final long before = System.nanoTime();
            for (int i = 0; i < waits; i++) {
                idle.idle(network.doWork());
            }
            final long elapsed = System.nanoTime() - before;
            final long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuBefore;
            assertTrue(elapsed >= waits * maxWaitNanos * 9 / 10, () -> "it slept: " + elapsed);
            assertTrue(cpu < elapsed / 2, () -> cpu + " ns of processor time in " + elapsed);
        } finally {
            network.onClose();
        }
    }

    @Test
    void shouldSpinFirst() {
        try (PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 10, FOREVER_NANOS)) {
            final long before = System.nanoTime();
            for (int i = 0; i < 10; i++) {
                idle.idle(0);
            }
            idle.idle(1);
            for (int i = 0; i < 10; i++) {
                idle.idle(0);
            }
            assertTrue(System.nanoTime() - before < FOREVER_NANOS / 2);
            assertEquals("polling", idle.alias());
        } finally {
            network.onClose();
        }
    }

    @Test
    void shouldLookAgainSoonWhileTheGuestTakesNothing() {
        uplink.framesToRead.set(2_000);
        TestFrames.await(() -> network.doWork() == 0 && uplink.framesToRead.get() == 0);
        assertTrue(network.isBlocked());
        try (PollingIdleStrategy idle = new PollingIdleStrategy(network, epochs, 0, FOREVER_NANOS)) {
            final long before = System.nanoTime();
            idle.idle(0);
            assertTrue(System.nanoTime() - before < FOREVER_NANOS / 2);
        } finally {
            network.onClose();
        }
    }
}
