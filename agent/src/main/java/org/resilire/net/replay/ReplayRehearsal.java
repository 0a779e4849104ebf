package org.resilire.net.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.net.FrameRing;
import org.resilire.net.FrameSink;

/**
 * Replays a request to a guest that is none, so that the code of input replay is loaded and linked before anybody waits for a replay: its
 * first use is in the middle of a failover.
 */
public final class ReplayRehearsal {

    private static final int ROUNDS = 20;
    private static final int LOG_BYTES = 1 << 17;
    private static final int FLOWS = 1 << 6;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int ETHERNET_BYTES = 14;

    /** IPv4 and TCP have no options. */
    private static final int HEADERS_BYTES = ETHERNET_BYTES + 20 + 20;

    private static final int PAYLOAD_BYTES = 10;
    private static final int FRAME_BYTES = HEADERS_BYTES + PAYLOAD_BYTES;

    private static final int GUEST = 0x0a00_0001;
    private static final int CLIENT = 0x0a00_0002;
    private static final short GUEST_PORT = 80;
    private static final short CLIENT_PORT = 7_000;
    private static final int GUEST_SEQUENCE = 1_000;
    private static final int CLIENT_SEQUENCE = 500;

    private ReplayRehearsal() {}

    /** Takes some milliseconds. */
    public static void run() {
        for (int round = 0; round < ROUNDS; round++) {
            replay();
        }
    }

    /** Returns how many frames were replayed. */
    static long replay() {
        final FrameSink guest = (frames, offset, lengthBytes) -> true;
        try (Arena arena = Arena.ofConfined();
                ReplayLog log = new ReplayLog(LOG_BYTES);
                ReplayController replay = new ReplayController(log, 0, 1, FLOWS, SystemNanoClock.INSTANCE)) {
            final MemorySegment frame = arena.allocate(FRAME_BYTES);
            // It acknowledges what the guest at its checkpoint has not sent yet.
            fromClient(frame, CLIENT_SEQUENCE, GUEST_SEQUENCE + PAYLOAD_BYTES);
            log.append(
                    ReplayLog.FRAME,
                    FrameRing.recordBytes(FRAME_BYTES),
                    true,
                    // SAFETY: the arena outlives this call, which copies.
                    new UnsafeBuffer(frame.address(), FRAME_BYTES),
                    0,
                    FRAME_BYTES);
            replay.begin();
            replay.deliverDue(guest);
            // How far it has sent, since it is asked; then again what the client has.
            fromGuest(frame, 0);
            replay.onOutbound(frame, 0, HEADERS_BYTES);
            replay.deliverDue(guest);
            fromGuest(frame, PAYLOAD_BYTES);
            replay.onOutbound(frame, 0, FRAME_BYTES);
            replay.deliverDue(guest);
            // And what comes after the replay.
            fromClient(frame, CLIENT_SEQUENCE + PAYLOAD_BYTES, GUEST_SEQUENCE + PAYLOAD_BYTES);
            replay.onInbound(frame, 0, FRAME_BYTES);
            return replay.counted(ReplayCounter.REPLAYED_FRAMES);
        }
    }

    private static void fromClient(final MemorySegment frame, final int sequence, final int acknowledgment) {
        write(frame, CLIENT, GUEST, CLIENT_PORT, GUEST_PORT, sequence, acknowledgment, PAYLOAD_BYTES);
    }

    private static void fromGuest(final MemorySegment frame, final int payloadBytes) {
        write(frame, GUEST, CLIENT, GUEST_PORT, CLIENT_PORT, GUEST_SEQUENCE, CLIENT_SEQUENCE, payloadBytes);
    }

    /** An acknowledgement, RFC 791 and RFC 9293. */
    private static void write(
            final MemorySegment frame,
            final int source,
            final int destination,
            final short sourcePort,
            final short destinationPort,
            final int sequence,
            final int acknowledgment,
            final int payloadBytes) {
        frame.fill((byte) 0);
        frame.set(SHORT, 12, (short) 0x0800);
        frame.set(JAVA_BYTE, 14, (byte) 0x45);
        frame.set(SHORT, 16, (short) (HEADERS_BYTES - ETHERNET_BYTES + payloadBytes));
        frame.set(JAVA_BYTE, 23, (byte) 6);
        frame.set(INT, 26, source);
        frame.set(INT, 30, destination);
        frame.set(SHORT, 34, sourcePort);
        frame.set(SHORT, 36, destinationPort);
        frame.set(INT, 38, sequence);
        frame.set(INT, 42, acknowledgment);
        frame.set(JAVA_BYTE, 46, (byte) 0x50);
        frame.set(JAVA_BYTE, 47, (byte) 0x10);
    }
}
