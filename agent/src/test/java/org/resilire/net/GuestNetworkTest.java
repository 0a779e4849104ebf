package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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

class GuestNetworkTest {

    /** Less than the kernel queues on a socket. */
    private static final int FEW = 5;
    /** More than that, also where {@code net.unix.max_dgram_qlen} was raised, and less than with the agent's own queue. */
    private static final int MANY = 400;

    private static final int RELEASE_LIMIT = 8;

    @TempDir
    Path directory;

    private final OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);
    private final TestUplink uplink = new TestUplink();
    private final FrameBatch guestBatch = new FrameBatch(64, 16_384);
    private final List<Long> epochsWithOutput = new ArrayList<>();
    private UnixDatagramSocket guest;
    private GuestNetwork network;

    @BeforeEach
    void start() {
        guest = TestNic.guestEnd(directory);
        network = new GuestNetwork(TestNic.context(directory, epochs, uplink)
                .gateCapacityBytes(1 << 15)
                .inboundQueueBytes(1 << 15)
                .releaseLimitFrames(RELEASE_LIMIT)
                .heldOutputListener(epochsWithOutput::add));
    }

    @AfterEach
    void close() {
        network.onClose();
        guest.close();
        guestBatch.close();
        epochs.close();
    }

    @Test
    void shouldNotReleaseOutputBeforeAcknowledgement() {
        epochs.beginEpoch(1);
        guestSends(1);
        work();
        assertEquals(List.of(), uplink.written);
        assertEquals(1, counted(NetworkCounter.HELD_FRAMES));
        assertEquals(TestFrames.LENGTH_BYTES, counted(NetworkCounter.HELD_BYTES));

        epochs.beginEpoch(2);
        guestSends(2);
        work();
        assertEquals(List.of(), uplink.written);

        epochs.acknowledge(1);
        work();
        assertEquals(List.of(1L), sentOut());
        epochs.acknowledge(2);
        work();
        assertEquals(List.of(1L, 2L), sentOut());
        assertEquals(2, counted(NetworkCounter.RELEASED_FRAMES));
        assertEquals(0, counted(NetworkCounter.HELD_FRAMES));
    }

    @Test
    void shouldPassOutputAtOnceWhileUnprotected() {
        epochs.changeMode(GateMode.PASS);
        guestSends(1);
        work();
        assertEquals(List.of(1L), sentOut());
        assertEquals(1, counted(NetworkCounter.PASSED_FRAMES));
    }

    @Test
    void shouldKeepOrderWhenHeldOutputIsLetGoAndTheUplinkBlocks() {
        for (int i = 0; i < FEW; i++) {
            guestSends(i);
        }
        work();
        uplink.freeSlots = 2;
        epochs.changeMode(GateMode.PASS);
        work();
        assertTrue(network.isBlocked());
        for (int i = FEW; i < 2 * FEW; i++) {
            guestSends(i);
        }
        work();
        assertEquals(TestFrames.range(0, 2), sentOut());
        uplink.freeSlots = 100;
        work();
        assertEquals(TestFrames.range(0, 2 * FEW), sentOut());
        assertFalse(network.isBlocked());
    }

    @Test
    void shouldKeepNewOutputBehindWhatOneDutyCycleCouldNotRelease() {
        for (int i = 0; i < 2 * RELEASE_LIMIT; i++) {
            guestSends(i);
            work();
        }
        epochs.changeMode(GateMode.PASS);
        guestSends(2 * RELEASE_LIMIT);
        work();
        assertEquals(TestFrames.range(0, 2 * RELEASE_LIMIT + 1), sentOut());
    }

    @Test
    void shouldDiscardOutputHeldAndNew() {
        guestSends(1);
        work();
        epochs.discardForGood();
        guestSends(2);
        work();
        epochs.changeMode(GateMode.PASS);
        guestSends(3);
        work();
        assertEquals(List.of(), uplink.written);
        assertEquals(3, counted(NetworkCounter.DISCARDED_FRAMES));
    }

    @Test
    void shouldDropAndCountWhenTheGateIsFull() {
        final int sent = 1_000;
        for (int i = 0; i < sent; i++) {
            guestSends(i);
            work();
        }
        final int held = (int) counted(NetworkCounter.HELD_FRAMES);
        assertEquals(sent, held + counted(NetworkCounter.DROPPED_FRAMES_OUT));
        assertTrue(held > 0 && held < sent);
        epochs.acknowledge(0);
        TestFrames.await(() -> network.doWork() == 0);
        assertEquals(TestFrames.range(0, held), sentOut());
    }

    @Test
    void shouldDropAndCountFramesThatAreTooLongOrEmpty() {
        epochs.changeMode(GateMode.PASS);
        TestFrames.send(guest, guestBatch, new byte[GuestNetworkContext.DEFAULT_FRAME_CAPACITY_BYTES + 1]);
        TestFrames.send(guest, guestBatch, new byte[0]);
        uplink.inbound.add(new byte[GuestNetworkContext.DEFAULT_FRAME_CAPACITY_BYTES]);
        uplink.inbound.add(TestFrames.frame(7));
        work();
        assertEquals(List.of(), uplink.written);
        assertEquals(2, counted(NetworkCounter.DROPPED_FRAMES_OUT));
        assertEquals(1, counted(NetworkCounter.DROPPED_FRAMES_IN));
        assertEquals(List.of(7L), receivedByGuest());
    }

    @Test
    void shouldGiveTheGuestWhatArrivesAtOnceWhateverTheMode() {
        for (final GateMode mode : GateMode.values()) {
            epochs.changeMode(mode);
            uplink.inbound.add(TestFrames.frame(1));
            work();
            assertEquals(List.of(1L), receivedByGuest(), mode::toString);
        }
        assertEquals(GateMode.values().length, counted(NetworkCounter.DELIVERED_FRAMES));
    }

    @Test
    void shouldKeepWhatArrivesForAPausedGuestInOrder() {
        for (int i = 0; i < MANY; i++) {
            uplink.inbound.add(TestFrames.frame(i));
        }
        TestFrames.await(() -> {
            network.doWork();
            return network.isBlocked();
        });
        final List<Long> received = new ArrayList<>();
        TestFrames.await(() -> {
            received.addAll(receivedByGuest());
            network.doWork();
            return received.size() == MANY;
        });
        assertEquals(TestFrames.range(0, MANY), received);
        assertFalse(network.isBlocked());
        assertEquals(MANY, counted(NetworkCounter.DELIVERED_FRAMES));
        assertEquals(0, counted(NetworkCounter.DROPPED_FRAMES_IN));
    }

    @Test
    void shouldNotLetANewFrameOvertakeOneThatWaits() {
        for (int i = 0; i < MANY; i++) {
            uplink.inbound.add(TestFrames.frame(i));
        }
        TestFrames.await(() -> {
            network.doWork();
            return network.isBlocked();
        });
        uplink.inbound.add(TestFrames.frame(MANY));
        final List<Long> received = new ArrayList<>();
        // The guest has room again just before the new frame is given to it.
        uplink.beforeRead = () -> received.addAll(receivedByGuest());
        TestFrames.await(() -> {
            network.doWork();
            return received.size() == MANY + 1;
        });
        assertEquals(TestFrames.range(0, MANY + 1), received);
    }

    @Test
    void shouldDropAndCountWhatAGuestDoesNotTake() {
        final int arriving = 1_000;
        for (int i = 0; i < arriving; i++) {
            uplink.inbound.add(TestFrames.frame(i));
        }
        TestFrames.await(() -> network.doWork() == 0 && uplink.inbound.isEmpty());
        final long dropped = counted(NetworkCounter.DROPPED_FRAMES_IN);
        assertTrue(dropped > 0);
        assertEquals(
                arriving,
                dropped + counted(NetworkCounter.QUEUED_FRAMES_IN) + counted(NetworkCounter.DELIVERED_FRAMES));
    }

    @Test
    void shouldCountWhatArrivesForAGuestThatIsNotThere() {
        guest.close();
        uplink.inbound.add(TestFrames.frame(1));
        work();
        assertEquals(1, counted(NetworkCounter.DROPPED_FRAMES_IN));
        assertEquals(0, counted(NetworkCounter.DELIVERED_FRAMES));
        assertFalse(network.isBlocked());
    }

    @Test
    void shouldTellOnceAnEpochThatOutputIsHeld() {
        epochs.beginEpoch(3);
        guestSends(1);
        guestSends(2);
        work();
        guestSends(3);
        work();
        epochs.beginEpoch(4);
        work();
        epochs.beginEpoch(5);
        guestSends(4);
        work();
        assertEquals(List.of(3L, 5L), epochsWithOutput);
        assertEquals(5, network.newestHeldEpoch());
    }

    @Test
    void shouldRefuseSettingsThatCannotBe() {
        final GuestNetworkContext context = new GuestNetworkContext();
        assertThrows(NullPointerException.class, context::conclude);
        context.epochs(epochs).guestSocket(guest).gateCapacityBytes(1 << 14);
        assertThrows(IllegalArgumentException.class, context::conclude, "no room for two frames");
        context.gateCapacityBytes(1 << 15).conclude();
        assertThrows(
                IllegalArgumentException.class, () -> context.batchFrames(0).conclude());
    }

    /** A few duty cycles, so that all directions have had their turn. */
    private void work() {
        for (int i = 0; i < 3; i++) {
            network.doWork();
        }
    }

    private void guestSends(final long number) {
        TestFrames.send(guest, guestBatch, TestFrames.frame(number));
    }

    private List<Long> receivedByGuest() {
        return TestFrames.receive(guest, guestBatch);
    }

    private List<Long> sentOut() {
        return TestFrames.numbers(uplink.written);
    }

    private long counted(final NetworkCounter counter) {
        return network.counters().value(counter);
    }
}
