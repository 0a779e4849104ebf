package org.resilire.net.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.resilire.net.replay.TcpFrames.ACK;
import static org.resilire.net.replay.TcpFrames.RST;
import static org.resilire.net.replay.TcpFrames.SYN;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.net.FrameRing;

class ReplayControllerTest {

    private static final int PORT = 7_000;
    private static final int ROLLBACK_MILLIS = 300;
    private static final long MILLI = 1_000_000L;
    private static final byte[] NOTHING = new byte[0];

    private final ReplayLog log = new ReplayLog(1 << 17);
    private final List<TcpFrames.Segment> given = new ArrayList<>();
    private final List<byte[]> rawGiven = new ArrayList<>();
    private long clockNanos = 1;
    private long position;
    private ReplayController replay;

    @AfterEach
    void close() {
        log.close();
        if (replay != null) {
            replay.close();
        }
    }

    @Test
    void shouldHoldAFrameUntilGuestHasSentWhatItAcknowledges() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        assertEquals(1, given.size(), "the guest is asked how far it has sent");
        assertEquals(0, given.getFirst().payload().length);
        assertTrue(given.getFirst().sequence() - 500 < -1_000);

        assertFalse(guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING)), "an answer for us alone");
        deliver();
        assertEquals(1, given.size(), "10 bytes are still to be sent");
        assertFalse(guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, new byte[10])), "the client has them");
        deliver();
        assertEquals(2, given.size());
        assertEquals(1_010, given.getLast().acknowledgment());
        assertEquals(1, counted(ReplayCounter.REPLAYED_FRAMES));
        assertFalse(replay.isWaiting());
        assertTrue(guestSends(TcpFrames.fromGuest(PORT, 1_010, 504, ACK, 1, 1, new byte[6])), "this is new");
    }

    @Test
    void shouldKeepOrderAcrossFlows() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        final byte[] datagram = TcpFrames.udp(TcpFrames.CLIENT_IP, TcpFrames.GUEST_IP, 1, 2);
        arrived(datagram);
        begin();
        deliver();
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING));
        deliver();
        assertEquals(1, rawGiven.size(), "what came later waits too");
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, new byte[10]));
        deliver();
        assertEquals(3, rawGiven.size());
        assertTrue(Arrays.equals(datagram, rawGiven.getLast()));
    }

    @Test
    void shouldGoOnWithWhatWasSentWhenGuestDoesNotDoItAgain() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING));
        deliver();
        listen(ReplayProgress.HOLD_LIMIT_NANOS - MILLI);
        assertEquals(1, given.size());
        listen(2 * MILLI);
        assertEquals(2, given.size());
        assertEquals(1_000, given.getLast().acknowledgment(), "Linux would drop what acknowledges more");
        assertEquals(1, counted(ReplayCounter.DIVERGED_FLOWS));
        assertTrue(
                guestSends(TcpFrames.fromGuest(PORT, 1_000, 504, ACK, 1, 1, new byte[10])),
                "who has it acknowledges it again");
    }

    @Test
    void shouldWaitLongerForAGuestThatHasNotRunYet() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        listen(ReplayProgress.GUEST_LIMIT_NANOS - MILLI);
        assertEquals(0, counted(ReplayCounter.DIVERGED_FLOWS));
        listen(2 * MILLI);
        assertEquals(1, counted(ReplayCounter.DIVERGED_FLOWS));
    }

    @Test
    void shouldNotBlameTheGuestForTimeInWhichItWasNotListenedTo() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        // The thread is late, and once more when it has heard of the guest.
        clockNanos += 2 * ReplayProgress.GUEST_LIMIT_NANOS;
        deliver();
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING));
        deliver();
        listen(ReplayProgress.HOLD_LIMIT_NANOS - 2 * ReplayProgress.LOOK_LIMIT_NANOS);
        clockNanos += 2 * ReplayProgress.REPLAY_LIMIT_NANOS;
        deliver();
        listen(ReplayProgress.LOOK_LIMIT_NANOS - MILLI);
        assertEquals(1, given.size());
        assertEquals(0, counted(ReplayCounter.DIVERGED_FLOWS));
        listen(2 * MILLI);
        assertEquals(2, given.size(), "what it was listened to before counts");
        assertEquals(1, counted(ReplayCounter.DIVERGED_FLOWS));
    }

    @Test
    void shouldWaitNoLongerThanUsualForWhatWaitsSinceItWasBack() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        clockNanos += ReplayProgress.REPLAY_LIMIT_NANOS;
        // Read before the thread looks at what waits.
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING));
        deliver();
        listen(ReplayProgress.HOLD_LIMIT_NANOS - MILLI);
        assertEquals(0, counted(ReplayCounter.DIVERGED_FLOWS));
        listen(2 * MILLI);
        assertEquals(1, counted(ReplayCounter.DIVERGED_FLOWS));
    }

    @Test
    void shouldTranslateAConnectionThatIsOpenedAgain() {
        arrived(TcpFrames.fromClient(PORT, 500, 0, SYN, 1, 0, NOTHING));
        arrived(TcpFrames.fromClient(PORT, 501, 9_001, ACK, 2, 50, NOTHING));
        arrived(TcpFrames.fromClient(PORT, 501, 9_001, ACK, 2, 50, new byte[4]));
        begin();
        deliver();
        assertEquals(1, given.size(), "nothing before the guest has answered the SYN");
        assertFalse(guestSends(TcpFrames.fromGuest(PORT, 20_000, 501, SYN | ACK, 10, 1, NOTHING)));
        deliver();
        assertEquals(3, given.size());
        assertEquals(20_001, given.getLast().acknowledgment());
        assertEquals(1, counted(ReplayCounter.TRANSLATED_FLOWS));

        final byte[] response = TcpFrames.fromGuest(PORT, 20_001, 505, ACK, 11, 2, new byte[8]);
        assertTrue(guestSends(response));
        final TcpFrames.Segment seen = TcpFrames.read(response, response.length);
        assertEquals(9_001, seen.sequence());
        assertEquals(11 + ROLLBACK_MILLIS, seen.timestamp(), "not before what the client has seen");

        final byte[] next = TcpFrames.fromClient(PORT, 505, 9_009, ACK, 3, seen.timestamp(), NOTHING);
        assertTrue(replay.onInbound(MemorySegment.ofArray(next), 0, next.length), "the replay is over");
        assertEquals(20_009, TcpFrames.read(next, next.length).acknowledgment());
        assertEquals(11, TcpFrames.read(next, next.length).echo());
    }

    @Test
    void shouldTranslateSelectiveAcknowledgements() {
        arrived(TcpFrames.fromClient(PORT, 500, 0, SYN, 1, 0, NOTHING));
        arrived(TcpFrames.fromClient(PORT, 501, 9_001, ACK, 2, 50, NOTHING));
        begin();
        deliver();
        guestSends(TcpFrames.fromGuest(PORT, 20_000, 501, SYN | ACK, 10, 1, NOTHING));
        deliver();
        final byte[] options = ByteBuffer.allocate(12)
                .put((byte) 1)
                .put((byte) 1)
                .put((byte) 5)
                .put((byte) 10)
                .putInt(9_100)
                .putInt(9_200)
                .array();
        final byte[] frame = TcpFrames.ipv4(
                TcpFrames.CLIENT_IP,
                TcpFrames.GUEST_IP,
                6,
                TcpFrames.tcp(
                        TcpFrames.CLIENT_IP,
                        TcpFrames.GUEST_IP,
                        PORT,
                        TcpFrames.GUEST_PORT,
                        501,
                        9_001,
                        ACK,
                        options,
                        NOTHING));
        assertTrue(replay.onInbound(MemorySegment.ofArray(frame), 0, frame.length));
        assertEquals(20_100, ByteBuffer.wrap(frame).getInt(frame.length - 8));
        assertEquals(20_200, ByteBuffer.wrap(frame).getInt(frame.length - 4));
        TcpFrames.read(frame, frame.length);
    }

    @Test
    void shouldLearnFromTheClientWhatNobodyWasToldOf() {
        arrived(TcpFrames.fromClient(PORT, 500, 0, SYN, 1, 0, NOTHING));
        begin();
        deliver();
        assertTrue(guestSends(TcpFrames.fromGuest(PORT, 20_000, 501, SYN | ACK, 10, 1, NOTHING)));
        deliver();
        // It had got an answer, just before the host died, and sticks to that.
        final byte[] ack = TcpFrames.fromClient(PORT, 501, 9_001, ACK, 2, 50, NOTHING);
        assertTrue(replay.onInbound(MemorySegment.ofArray(ack), 0, ack.length));
        assertEquals(20_001, TcpFrames.read(ack, ack.length).acknowledgment());
        assertEquals(1, counted(ReplayCounter.TRANSLATED_FLOWS));
    }

    @Test
    void shouldOpenAgainWhatGuestOpenedItself() {
        told(1, TcpFrames.fromGuest(PORT, 3_000, 0, SYN, 5, 0, NOTHING));
        arrived(TcpFrames.fromClient(PORT, 600, 3_001, SYN | ACK, 1, 5, NOTHING));
        begin();
        deliver();
        assertEquals(0, given.size(), "not before the guest has asked for it");
        final byte[] syn = TcpFrames.fromGuest(PORT, 8_000, 0, SYN, 5, 0, NOTHING);
        assertFalse(guestSends(syn), "it was answered already");
        deliver();
        assertEquals(8_001, given.getLast().acknowledgment());
        final byte[] data = TcpFrames.fromGuest(PORT, 8_001, 601, ACK, 6, 1, new byte[3]);
        assertTrue(guestSends(data));
        assertEquals(3_001, TcpFrames.read(data, data.length).sequence());
    }

    @Test
    void shouldNotResetAClientWhenGuestIsAskedAboutAConnectionThatItDoesNotHave() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_010, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        assertFalse(guestSends(TcpFrames.fromGuest(PORT, 1_010, 0, RST, 1, 1, NOTHING)));
        deliver();
        assertEquals(1, given.size());
        assertEquals(1, counted(ReplayCounter.SKIPPED_FRAMES));
        assertFalse(replay.isWaiting());
    }

    @Test
    void shouldLeaveOutAsManyDatagramsAsHadLeftSinceTheCheckpoint() {
        log.committed(4, 0);
        for (int i = 0; i < 3; i++) {
            told(4, datagram());
        }
        told(5, datagram());
        told(5, datagram());
        told(6, datagram());
        begin();
        deliver();
        for (int i = 0; i < 3; i++) {
            assertFalse(guestSends(datagram()), "epochs 5 and 6 had left");
        }
        assertTrue(guestSends(datagram()));
        assertEquals(3, counted(ReplayCounter.SUPPRESSED_FRAMES));
    }

    @Test
    void shouldNotLeaveOutDatagramsForEver() {
        told(5, datagram());
        told(5, datagram());
        begin();
        deliver();
        assertFalse(guestSends(datagram()));
        clockNanos += ReplayProgress.GRACE_NANOS + MILLI;
        assertTrue(guestSends(datagram()));
    }

    @Test
    void shouldKeepWhatArrivesMeanwhileBehindTheLog() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_000, ACK, 1, 1, new byte[4]));
        begin();
        deliver();
        final byte[] live = TcpFrames.fromClient(PORT, 504, 1_000, ACK, 1, 1, new byte[2]);
        assertFalse(replay.onInbound(MemorySegment.ofArray(live), 0, live.length));
        guestSends(TcpFrames.fromGuest(PORT, 1_000, 500, ACK, 1, 1, NOTHING));
        deliver();
        assertEquals(
                List.of(500, 504),
                given.stream().skip(1).map(TcpFrames.Segment::sequence).toList());
        assertEquals(1, counted(ReplayCounter.QUEUED_FRAMES));
    }

    @Test
    void shouldTouchNothingOfFlowsThatItDoesNotKnow() {
        arrived(TcpFrames.fromClient(PORT, 500, 1_000, ACK, 1, 1, new byte[4]));
        begin();
        final byte[] other = TcpFrames.fromGuest(PORT + 1, 5, 6, ACK, 7, 8, new byte[9]);
        final byte[] before = other.clone();
        assertTrue(guestSends(other));
        assertTrue(Arrays.equals(before, other));
    }

    /** Whatever is logged, told, sent and received: it stays within its memory, ends, and forgets nothing of what it was given. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void shouldSurviveAnything(final long seed) {
        final Random random = new Random(seed);
        log.committed(random.nextInt(3), 0);
        for (int i = 0; i < 300; i++) {
            final byte[] frame = anything(random, false);
            if (random.nextInt(4) == 0) {
                told(random.nextInt(5), anything(random, true));
            } else if (frame.length > 0) {
                arrived(frame);
            }
            if (random.nextInt(10) == 0) {
                final byte[] record = new byte[EmittedRecord.LENGTH_BYTES];
                random.nextBytes(record);
                logged(ReplayLog.EMITTED, record);
            }
        }
        begin();
        for (int i = 0; i < 20_000 && (replay.isWaiting() || i < 3_000); i++) {
            clockNanos += random.nextInt(20) * MILLI;
            replay.deliverDue((frames, offset, lengthBytes) -> {
                assertTrue(frames.asSlice(offset, lengthBytes).byteSize() > 0);
                return random.nextInt(5) > 0;
            });
            final byte[] out = anything(random, true);
            replay.onOutbound(MemorySegment.ofArray(out), 0, out.length);
            if (i < 200 || !replay.isWaiting()) {
                final byte[] in = anything(random, false);
                if (in.length > 0) {
                    replay.onInbound(MemorySegment.ofArray(in), 0, in.length);
                }
            }
        }
        assertFalse(replay.isWaiting());
    }

    private static byte[] anything(final Random random, final boolean outbound) {
        final int port = PORT + random.nextInt(5);
        final int flags = random.nextInt(32);
        final byte[] payload = new byte[random.nextInt(3)];
        final byte[] frame = switch (random.nextInt(8)) {
            case 0 -> new byte[random.nextInt(80)];
            case 1 -> datagram();
            default ->
                outbound
                        ? TcpFrames.fromGuest(port, random.nextInt(20), random.nextInt(20), flags, 1, 2, payload)
                        : TcpFrames.fromClient(port, random.nextInt(20), random.nextInt(20), flags, 1, 2, payload);
        };
        if (frame.length > 0 && random.nextInt(4) == 0) {
            frame[random.nextInt(frame.length)] = (byte) random.nextInt();
        }
        return frame;
    }

    private static byte[] datagram() {
        return TcpFrames.udp(TcpFrames.GUEST_IP, TcpFrames.CLIENT_IP, 53, PORT);
    }

    private void arrived(final byte[] frame) {
        logged(ReplayLog.FRAME, frame);
    }

    private final EmittedFlows emittedFlows = new EmittedFlows(1 << 8, 1);

    private void told(final long epoch, final byte[] frame) {
        emittedFlows.onEmitted(MemorySegment.ofArray(frame), 0, frame.length, epoch);
        final UnsafeBuffer records = new UnsafeBuffer(new byte[EmittedFlows.lengthBytes(8)]);
        final int lengthBytes = emittedFlows.tell(records, 0, 8);
        if (lengthBytes > 0) {
            logged(ReplayLog.EMITTED, Arrays.copyOf(records.byteArray(), lengthBytes));
        }
    }

    private void logged(final int kind, final byte[] content) {
        final boolean isFirst = position == 0;
        position += FrameRing.recordBytes(content.length);
        assertNull(log.append(kind, position, isFirst, new UnsafeBuffer(content), 0, content.length));
    }

    private void begin() {
        replay = new ReplayController(log, ROLLBACK_MILLIS, 1, 1 << 8, () -> clockNanos);
        replay.begin();
    }

    /** Lets time pass, and the network thread look as often as it does. */
    private void listen(final long nanos) {
        for (long leftNanos = nanos; leftNanos > 0; leftNanos -= ReplayProgress.LOOK_LIMIT_NANOS) {
            clockNanos += Math.min(leftNanos, ReplayProgress.LOOK_LIMIT_NANOS);
            deliver();
        }
    }

    private void deliver() {
        // Some frames are dealt with only in the call after the one that learnt about them.
        for (int i = 0; i < 3; i++) {
            replay.deliverDue((frames, offset, lengthBytes) -> {
                final byte[] frame = frames.asSlice(offset, lengthBytes).toArray(JAVA_BYTE);
                rawGiven.add(frame);
                if (frame[23] == 6) {
                    given.add(TcpFrames.read(frame, frame.length));
                }
                return true;
            });
        }
    }

    private boolean guestSends(final byte[] frame) {
        return replay.onOutbound(MemorySegment.ofArray(frame), 0, frame.length);
    }

    private long counted(final ReplayCounter counter) {
        return replay.counted(counter);
    }
}
