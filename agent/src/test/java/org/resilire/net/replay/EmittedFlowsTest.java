package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.resilire.net.NetworkCounter;

class EmittedFlowsTest {

    private static final int PORT = 5_000;

    private final EmittedFlows flows = new EmittedFlows(1 << 8, 1);
    private final UnsafeBuffer told = new UnsafeBuffer(new byte[EmittedFlows.lengthBytes(1 << 8)]);

    @Test
    void shouldTellHowFarAConnectionHasGone() {
        emit(1, TcpFrames.fromGuest(PORT, -2, 5, TcpFrames.SYN | TcpFrames.ACK, 70, 0, new byte[0]));
        emit(1, TcpFrames.fromGuest(PORT, -1, 5, TcpFrames.ACK, 71, 0, new byte[10]));
        emit(1, TcpFrames.fromGuest(PORT, -1, 5, TcpFrames.ACK, 72, 0, new byte[4]));
        assertEquals(EmittedRecord.LENGTH_BYTES, flows.tell(told, 0, 9));
        assertEquals(9, EmittedRecord.next(told, 0), "a repetition is not the end");
        assertEquals(-2, EmittedRecord.isn(told, 0));
        assertEquals(72, EmittedRecord.timestamp(told, 0));
        assertEquals(3, EmittedRecord.frames(told, 0));
        assertTrue(EmittedRecord.has(told, 0, EmittedRecord.HAS_ISN));
        assertFalse(EmittedRecord.has(told, 0, EmittedRecord.OPENED_BY_GUEST));
        assertFalse(flows.hasUntold());
    }

    @Test
    void shouldTellOfAnOpeningOnlyInItsEpoch() {
        emit(1, TcpFrames.fromGuest(PORT, 100, 0, TcpFrames.SYN, 0, 0, new byte[0]));
        flows.tell(told, 0, 9);
        assertTrue(EmittedRecord.has(told, 0, EmittedRecord.OPENED_BY_GUEST));
        emit(2, TcpFrames.fromGuest(PORT, 101, 5, TcpFrames.ACK, 0, 0, new byte[1]));
        flows.tell(told, 0, 9);
        assertFalse(EmittedRecord.has(told, 0, EmittedRecord.HAS_ISN));
        assertEquals(102, EmittedRecord.next(told, 0));
        assertEquals(1, EmittedRecord.frames(told, 0));
        assertEquals(2, EmittedRecord.epoch(told, 0));
    }

    @Test
    void shouldTellOfAFlowOnceHoweverOftenItSends() {
        for (int i = 0; i < 50; i++) {
            emit(1, TcpFrames.udp(TcpFrames.GUEST_IP, TcpFrames.CLIENT_IP, 53, PORT));
            emit(1, TcpFrames.udp(TcpFrames.GUEST_IP, TcpFrames.CLIENT_IP, 53, PORT + 1));
        }
        assertEquals(2, flows.untoldCount());
        assertEquals(EmittedRecord.LENGTH_BYTES, flows.tell(told, 0, 1), "no more than asked for");
        assertEquals(EmittedRecord.LENGTH_BYTES, flows.tell(told, 0, 9));
        assertEquals(50, EmittedRecord.frames(told, 0));
        assertEquals(0, flows.tell(told, 0, 9));
        assertEquals(100, flows.emittedFrames());
    }

    @Test
    void shouldGiveRoomToNewFlowsAndCountThoseThatFindNone() {
        for (int port = 0; port < 1_000; port++) {
            emit(1, TcpFrames.udp(TcpFrames.GUEST_IP, TcpFrames.CLIENT_IP, 53, port));
        }
        assertTrue(flows.untrackedFrames() > 0);
        assertEquals(flows.untrackedFrames(), new EmissionRecorder(flows).emitted(NetworkCounter.UNTRACKED_FRAMES));
        assertTrue(flows.flows() <= 1 << 8);
        final long untracked = flows.untrackedFrames();
        flows.tell(told, 0, 1 << 8);
        emit(10, TcpFrames.udp(TcpFrames.GUEST_IP, TcpFrames.CLIENT_IP, 53, 2_000));
        assertEquals(untracked, flows.untrackedFrames(), "the others were silent for epochs");
        assertEquals(1_000 - 0, flows.framesOfLastEpoch());
    }

    @Test
    void shouldCountButNotFollowWhatItDoesNotKnow() {
        final Random random = new Random(3);
        for (int i = 0; i < 10_000; i++) {
            final byte[] frame = new byte[random.nextInt(100)];
            random.nextBytes(frame);
            emit(1, frame);
        }
        assertEquals(10_000, flows.emittedFrames());
        assertEquals(0, flows.flows());
    }

    private void emit(final long epoch, final byte[] frame) {
        flows.onEmitted(MemorySegment.ofArray(frame), 0, frame.length, epoch);
    }
}
