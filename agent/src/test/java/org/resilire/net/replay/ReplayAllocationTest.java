package org.resilire.net.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.resilire.net.replay.TcpFrames.ACK;
import static org.resilire.net.replay.TcpFrames.SYN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.resilire.net.FrameRing;
import org.resilire.net.FrameSink;
import org.resilire.synthetic.Garbage;

/** Neither telling what leaves nor translating it leaves garbage. */
class ReplayAllocationTest {

    private static final int PORT = 5_000;
    private static final int ROUNDS = 100_000;
    private static final long TOLERATED_BYTES = 64 << 10;
    private static final byte[] NOTHING = new byte[0];

    @Test
    void shouldAllocateNothingForAFrame() {
        final EmittedFlows emitted = new EmittedFlows(1 << 8, 1);
        final UnsafeBuffer told = new UnsafeBuffer(new byte[EmittedFlows.lengthBytes(8)]);
        final FrameSink guest = (frames, offset, lengthBytes) -> true;
        try (ReplayLog log = new ReplayLog(1 << 16);
                Arena arena = Arena.ofConfined();
                ReplayController replay = new ReplayController(log, 1, 1, 1 << 8, () -> 1)) {
            final byte[] syn = TcpFrames.fromClient(PORT, 500, 0, SYN, 1, 0, NOTHING);
            final byte[] ack = TcpFrames.fromClient(PORT, 501, 9_001, ACK, 2, 50, NOTHING);
            append(log, append(log, 0, syn), ack);
            replay.begin();
            replay.deliverDue(guest);
            final byte[] answer = TcpFrames.fromGuest(PORT, 20_000, 501, SYN | ACK, 10, 1, NOTHING);
            replay.onOutbound(MemorySegment.ofArray(answer), 0, answer.length);
            replay.deliverDue(guest);
            assertEquals(1, replay.counted(ReplayCounter.TRANSLATED_FLOWS));

            final MemorySegment out =
                    arena.allocateFrom(JAVA_BYTE, TcpFrames.fromGuest(PORT, 20_001, 501, ACK, 11, 2, new byte[9]));
            final MemorySegment in =
                    arena.allocateFrom(JAVA_BYTE, TcpFrames.fromClient(PORT, 501, 9_010, ACK, 3, 11, NOTHING));
            final Runnable rounds = () -> {
                for (int i = 0; i < ROUNDS; i++) {
                    emitted.onEmitted(out, 0, (int) out.byteSize(), i >> 10);
                    emitted.tell(told, 0, 8);
                    replay.onOutbound(out, 0, (int) out.byteSize());
                    replay.onInbound(in, 0, (int) in.byteSize());
                    replay.deliverDue(guest);
                }
            };
            rounds.run();
            Garbage.assertBelow(TOLERATED_BYTES, ROUNDS + " frames each way", rounds);
        }
    }

    private static long append(final ReplayLog log, final long before, final byte[] frame) {
        final long position = before + FrameRing.recordBytes(frame.length);
        assertNull(log.append(ReplayLog.FRAME, position, before == 0, new UnsafeBuffer(frame), 0, frame.length));
        return position;
    }
}
