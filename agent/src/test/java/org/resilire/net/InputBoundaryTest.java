package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/** From when on input is logged: no frame may be neither in the first checkpoint nor in the log. */
class InputBoundaryTest {

    private static final long WIDE = 1 << 20;
    private static final long NO_BOUNDARY = -1;

    /** More than the kernel queues on a socket. */
    private static final int MANY = 2_000;

    @TempDir
    Path directory;

    private final OutputEpochs epochs = new OutputEpochs(GateMode.PASS);
    private final InboundLog log = new InboundLog(epochs, InboundLog.DEFAULT_CAPACITY_BYTES);
    private final TestUplink uplink = new TestUplink();
    private final FrameBatch guestBatch = new FrameBatch(64, 16_384);
    private final List<Long> taken = new ArrayList<>();
    private long nowNanos;
    private Runnable meanwhile = () -> {};
    private UnixDatagramSocket guest;
    private GuestNetwork network;
    private InputBoundary boundary;

    @BeforeEach
    void start() {
        guest = TestNic.guestEnd(directory);
        network = new GuestNetwork(TestNic.context(directory, epochs, uplink)
                .inboundQueueBytes(1 << 20)
                .inputLog(log));
        boundary = new InputBoundary(network, log, () -> nowNanos, () -> {
            nowNanos += 1_000_000;
            meanwhile.run();
        });
        epochs.beginEpoch(5);
        log.open(WIDE);
    }

    @AfterEach
    void close() {
        network.onClose();
        guest.close();
        guestBatch.close();
        log.close();
        epochs.close();
    }

    @Test
    void shouldNotBeginToLogWhileOlderInputWaitsInTheAgent() {
        arriveMany(0);
        // The socket is empty each time it is looked at.
        guestTakes();
        meanwhile = this::guestTakes;
        boundary.mark(5);
        assertFalse(log.isLogging());
        assertEquals(NO_BOUNDARY, log.boundary(5));
        assertTrue(taken.size() < MANY);

        meanwhile = () -> {
            network.doWork();
            guestTakes();
        };
        // Longer than it takes, however small the socket is.
        for (int epoch = 6; !log.isLogging(); epoch++) {
            assertTrue(epoch < 1_000);
            boundary.mark(epoch);
            assertEquals(log.isLogging(), log.boundary(epoch) != NO_BOUNDARY);
        }
        assertEquals(TestFrames.range(0, MANY), taken);
    }

    @Test
    void shouldNotBeginToLogWhileOlderInputIsOnItsWayThroughTheAgent() {
        arrive(1);
        arrive(2);
        final long[] mark = new long[1];
        uplink.beforeRead = () -> {
            if (mark[0] == 0 && uplink.inbound.size() == 1) {
                // The first has been read, and is not logged; the second will be.
                assertTrue(log.begin());
                mark[0] = network.markArrived();
                assertFalse(network.hasGuestTaken(mark[0]), "though the socket is empty");
            }
        };
        network.doWork();
        assertTrue(log.position() > 0);
        assertFalse(network.hasGuestTaken(mark[0]));
        guestTakes();
        assertEquals(List.of(1L, 2L), taken);
        network.doWork();
        assertTrue(network.hasGuestTaken(mark[0]));
    }

    @Test
    void shouldNotWaitForInputThatIsLogged() {
        arriveMany(0);
        assertTrue(log.begin());
        final long mark = network.markArrived();
        arriveMany(MANY);
        while (network.counters().value(NetworkCounter.DELIVERED_FRAMES) < MANY) {
            assertFalse(network.hasGuestTaken(mark));
            guestTakes();
            network.doWork();
        }
        guestTakes();
        assertTrue(network.counters().value(NetworkCounter.QUEUED_FRAMES_IN) > 0);
        assertTrue(network.hasGuestTaken(mark));
    }

    @Test
    void shouldTryAgainWithTheNextCheckpointWhenTheGuestTakesNothing() {
        arrive(1);
        network.doWork();
        meanwhile = network::doWork;
        boundary.mark(5);
        assertFalse(log.isLogging());
        guestTakes();
        boundary.mark(6);
        assertTrue(log.isLogging());
        assertEquals(NO_BOUNDARY, log.boundary(5));
        assertEquals(0, log.boundary(6));
    }

    private void arriveMany(final long first) {
        for (int i = 0; i < MANY; i++) {
            arrive(first + i);
        }
        while (!uplink.inbound.isEmpty()) {
            network.doWork();
        }
        assertTrue(network.counters().value(NetworkCounter.QUEUED_FRAMES_IN) > 0);
    }

    private void arrive(final long number) {
        uplink.inbound.add(TestFrames.frame(number));
    }

    private void guestTakes() {
        List<Long> numbers;
        do {
            numbers = TestFrames.receive(guest, guestBatch);
            taken.addAll(numbers);
        } while (!numbers.isEmpty());
    }
}
