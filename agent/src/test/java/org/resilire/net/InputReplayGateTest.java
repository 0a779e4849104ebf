package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.MutableDirectBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/** When output leaves while input is logged, and what becomes of input that cannot be. */
class InputReplayGateTest {

    private static final long WIDE = 1 << 20;
    private static final int EMISSION_BYTES = 8_000;

    @TempDir
    Path directory;

    private final OutputEpochs epochs = new OutputEpochs(GateMode.LOGGED);
    private final InboundLog log = new InboundLog(epochs, InboundLog.DEFAULT_CAPACITY_BYTES);
    private final TestUplink uplink = new TestUplink();
    private final FrameBatch guestBatch = new FrameBatch(64, 16_384);
    private final Drained drained = new Drained();
    private final List<Long> emittedEpochs = new ArrayList<>();
    private UnixDatagramSocket guest;
    private GuestNetwork network;
    private boolean tellsOfOutput;

    @BeforeEach
    void start() {
        guest = TestNic.guestEnd(directory);
        network = new GuestNetwork(TestNic.context(directory, epochs, uplink)
                .inputLog(log)
                .emissionListener(new EmissionListener() {
                    @Override
                    public void onEmitted(
                            final MemorySegment frames, final long offset, final int lengthBytes, final long epoch) {
                        emittedEpochs.add(epoch);
                    }

                    @Override
                    public void tell(final InboundLog into) {
                        if (tellsOfOutput) {
                            into.addEmission((entries, offset, capacityBytes) -> capacityBytes, EMISSION_BYTES);
                        }
                    }

                    @Override
                    public long emitted(final NetworkCounter counter) {
                        return counter == NetworkCounter.UNTRACKED_FRAMES ? 3 : 0;
                    }
                }));
        epochs.beginEpoch(5);
        log.open(WIDE);
        log.begin();
        log.markBoundary(4);
        log.committed(4);
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
    void shouldReleaseOutputOnceAllInputBeforeItIsLogged() {
        guestSends(1);
        work();
        assertEquals(List.of(1L), sentOut(), "nothing has arrived before it");
        arrive(10);
        arrive(11);
        work();
        guestSends(2);
        work();
        arrive(12);
        work();
        log.drain(drained, 100);
        assertEquals(3, drained.positions.size());

        log.acknowledged(drained.positions.get(0));
        work();
        assertEquals(List.of(1L), sentOut());
        log.acknowledged(drained.positions.get(1));
        work();
        assertEquals(List.of(1L, 2L), sentOut(), "what came after it need not be logged");
        assertEquals(List.of(5L, 5L), emittedEpochs);
    }

    @Test
    void shouldReleaseWhatIsInASafeEpochWhateverIsLogged() {
        arrive(10);
        work();
        guestSends(1);
        work();
        assertEquals(List.of(), sentOut());
        epochs.beginEpoch(6);
        epochs.acknowledge(5);
        work();
        assertEquals(List.of(1L), sentOut());
    }

    @Test
    void shouldNotWaitWhereOutputLeavesAtOnce() {
        epochs.changeMode(GateMode.AT_ONCE);
        arrive(10);
        work();
        guestSends(1);
        work();
        assertEquals(List.of(1L), sentOut());
        assertEquals(3, network.counters().value(NetworkCounter.UNTRACKED_FRAMES));
    }

    @Test
    void shouldHoldOutputForItsEpochWhenInputIsNotLogged() {
        for (final GateMode mode : List.of(GateMode.LOGGED, GateMode.AT_ONCE)) {
            epochs.changeMode(mode);
            log.endSession();
            arrive(10);
            guestSends(mode == GateMode.LOGGED ? 1 : 2);
            work();
            assertEquals(List.of(), sentOut(), mode::toString);
        }
        assertEquals(0, log.drain(drained, 100) - drained.courtesies);
        epochs.changeMode(GateMode.HOLD);
        epochs.beginEpoch(6);
        epochs.acknowledge(5);
        work();
        assertEquals(List.of(1L, 2L), sentOut());
    }

    @Test
    void shouldHoldOutputUntilThereIsACheckpointAfterWhichItsInputIsReplayed() {
        epochs.changeMode(GateMode.AT_ONCE);
        log.suspend();
        log.goOn();
        log.begin();
        guestSends(1);
        work();
        // Of one that was made before logging began again.
        log.committed(4);
        log.markBoundary(5);
        work();
        assertEquals(List.of(), sentOut());
        log.committed(5);
        work();
        assertEquals(List.of(1L), sentOut());
        guestSends(2);
        work();
        assertEquals(List.of(1L, 2L), sentOut());
    }

    @Test
    void shouldNotLogAgainInAMoveWhatWasPutOff() {
        log.endSession();
        log.open(WIDE);
        assertTrue(log.begin());
        log.putOff();
        log.suspend();
        assertFalse(log.begin());
        log.goOn();
        assertTrue(log.begin());
    }

    @Test
    void shouldNotReleaseWhatWaitedForASessionThatIsOver() {
        arrive(10);
        work();
        guestSends(1);
        work();
        log.endSession();
        work();
        assertEquals(List.of(), sentOut());
        epochs.changeMode(GateMode.HOLD);
        work();
        assertEquals(List.of(), sentOut());
        epochs.changeMode(GateMode.PASS);
        work();
        assertEquals(List.of(1L), sentOut());
    }

    @Test
    void shouldLetInputWaitAtTheUplinkWhenTheLogIsFullAndLoseNone() {
        log.endSession();
        log.open(InboundLog.MIN_WINDOW_BYTES);
        log.begin();
        final int arriving = 2_000;
        for (int i = 0; i < arriving; i++) {
            arrive(i);
        }
        final List<Long> received = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            network.doWork();
            received.addAll(receivedByGuest());
            log.drain(drained, 1_000);
        }
        assertTrue(network.isInputStalled());
        assertFalse(uplink.inbound.isEmpty());
        assertEquals(1, network.counters().value(NetworkCounter.INPUT_STALLS));
        TestFrames.await(() -> {
            network.doWork();
            received.addAll(receivedByGuest());
            log.drain(drained, 1_000);
            network.noteConsumedInput();
            log.markBoundary(5);
            log.committed(5);
            return received.size() == arriving;
        });
        assertEquals(TestFrames.range(0, arriving), received);
        assertEquals(arriving, drained.positions.size(), "every one was logged");
        assertEquals(0, network.counters().value(NetworkCounter.DROPPED_FRAMES_IN));
        assertFalse(network.isInputStalled());
    }

    @Test
    void shouldHaveRoomForInputHoweverMuchTheGuestHasSentWithoutAny() {
        log.endSession();
        log.open(InboundLog.MIN_WINDOW_BYTES);
        log.begin();
        tellsOfOutput = true;
        final long begin = log.position();
        for (int epoch = 5; log.position() - begin < 3 * InboundLog.MIN_WINDOW_BYTES; epoch++) {
            assertTrue(epoch < 1_000, "the log is full");
            work();
            log.drain(drained, 1_000);
            network.noteConsumedInput();
            log.markBoundary(epoch);
            log.committed(epoch);
        }
        arrive(10);
        work();
        assertFalse(network.isInputStalled());
        assertEquals(List.of(10L), receivedByGuest());
    }

    @Test
    void shouldLogNothingBeforeTheFirstCheckpointSinceNoneWouldFreeIt() {
        log.endSession();
        log.open(InboundLog.MIN_WINDOW_BYTES);
        for (int i = 0; i < 1_000; i++) {
            arrive(i);
        }
        TestFrames.await(() -> {
            network.doWork();
            receivedByGuest();
            return uplink.inbound.isEmpty();
        });
        assertEquals(0, network.counters().value(NetworkCounter.INPUT_STALLS));
        assertTrue(log.begin());
        assertFalse(log.begin());
        log.endSession();
        assertFalse(log.begin(), "the session is over");
    }

    @Test
    void shouldTakeForSeenByACheckpointOnlyWhatTheGuestHasTaken() {
        arrive(10);
        arrive(11);
        work();
        network.noteConsumedInput();
        log.markBoundary(5);
        assertEquals(0, log.boundary(5), "both wait in the socket");
        receivedByGuest();
        network.noteConsumedInput();
        log.markBoundary(6);
        assertEquals(log.position(), log.boundary(6));
        arrive(12);
        work();
        log.markBoundary(7);
        assertTrue(log.boundary(7) < log.position());
    }

    private void work() {
        for (int i = 0; i < 3; i++) {
            network.doWork();
        }
    }

    private void arrive(final long number) {
        uplink.inbound.add(TestFrames.frame(number));
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

    private static final class Drained implements InboundLog.Reader {

        private final List<Long> positions = new ArrayList<>();
        private int courtesies;

        @Override
        public void onFrame(
                final long epoch, final MutableDirectBuffer frames, final int offset, final int lengthBytes) {
            courtesies++;
        }

        @Override
        public boolean onEntry(
                final boolean isEmitted,
                final long position,
                final MutableDirectBuffer entries,
                final int offset,
                final int lengthBytes) {
            positions.add(position);
            return true;
        }
    }
}
