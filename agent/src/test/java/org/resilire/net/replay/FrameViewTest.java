package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.net.replay.FrameView.Kind;

class FrameViewTest {

    private static final int SOURCE = TcpFrames.CLIENT_IP;
    private static final int DESTINATION = TcpFrames.GUEST_IP;
    private static final byte[] PAYLOAD = {1, 2, 3, 4, 5};

    private final FrameView view = new FrameView();

    @Test
    void shouldFindBothEndsWhicheverWayAFrameGoes() {
        final byte[] inbound = TcpFrames.fromClient(4_321, 7, 9, TcpFrames.ACK, 1, 2, PAYLOAD);
        assertEquals(Kind.TCP, wrap(inbound, false));
        final long ports = view.key().ports;
        assertEquals(TcpFrames.GUEST_IP, view.key().localLow);
        assertEquals(TcpFrames.CLIENT_IP, view.key().remoteLow);
        assertEquals(7, view.sequence());
        assertEquals(9, view.acknowledgment());
        assertEquals(7 + PAYLOAD.length, view.end());
        assertEquals(1, view.timestampValue());
        assertEquals(2, view.timestampEcho());
        assertTrue(view.key().isTcp());

        assertEquals(Kind.TCP, wrap(TcpFrames.fromGuest(4_321, 0, 0, TcpFrames.SYN, 0, 0, new byte[0]), true));
        assertEquals(ports, view.key().ports);
        assertEquals(TcpFrames.GUEST_IP, view.key().localLow);
        assertEquals(1, view.end(), "a SYN takes a number");
    }

    /** At each place that options can have, also those that do not lie on a word of the checksum. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void shouldKeepChecksumRightWhereNumbersAreChanged(final int nops) {
        final Random random = new Random(nops);
        for (int round = 0; round < 2_000; round++) {
            final byte[] options = options(nops, random);
            final byte[] payload = new byte[random.nextInt(9)];
            random.nextBytes(payload);
            final byte[] segment = TcpFrames.tcp(
                    SOURCE, DESTINATION, 80, 90, random.nextInt(), random.nextInt(), TcpFrames.ACK, options, payload);
            final byte[] frame = TcpFrames.ipv4(SOURCE, DESTINATION, 6, segment);
            wrap(frame, true);
            final int sequence = random.nextInt();
            final int acknowledgment = random.nextInt();
            final int value = random.nextInt();
            final int echo = random.nextInt();
            final int firstEdge = ByteBuffer.wrap(frame).getInt(frame.length - payload.length - 16);
            view.sequence(sequence);
            view.acknowledgment(acknowledgment);
            view.timestampValue(value);
            view.timestampEcho(echo);
            view.moveSelectiveAcknowledgments(1_000);

            assertEquals(sequence, view.sequence());
            assertEquals(acknowledgment, view.acknowledgment());
            assertEquals(value, view.timestampValue());
            assertEquals(echo, view.timestampEcho());
            assertEquals(firstEdge + 1_000, ByteBuffer.wrap(frame).getInt(frame.length - payload.length - 16));
            final byte[] changed = Arrays.copyOfRange(frame, 34, frame.length);
            assertEquals(0, TcpFrames.checksum(SOURCE, DESTINATION, 6, changed));
        }
    }

    /** As many NOPs before the timestamp, two blocks at the end. */
    private static byte[] options(final int nops, final Random random) {
        final ByteBuffer options = ByteBuffer.allocate(32);
        for (int i = 0; i < nops; i++) {
            options.put((byte) 1);
        }
        options.put((byte) 8).put((byte) 10).putInt(random.nextInt()).putInt(random.nextInt());
        while (options.position() < 14) {
            options.put((byte) 1);
        }
        options.put((byte) 5).put((byte) 18);
        while (options.hasRemaining()) {
            options.putInt(random.nextInt());
        }
        return options.array();
    }

    @Test
    void shouldNotRepairAFrameThatWasDamaged() {
        final byte[] frame = TcpFrames.fromClient(1, 2, 3, TcpFrames.ACK, 4, 5, PAYLOAD);
        frame[frame.length - 1] ^= 0x10;
        wrap(frame, false);
        view.sequence(99);
        assertNotEquals(0, TcpFrames.checksum(SOURCE, DESTINATION, 6, Arrays.copyOfRange(frame, 34, frame.length)));
    }

    @Test
    void shouldMakeABareAcknowledgementThatAReceiverAccepts() {
        final byte[] frame = TcpFrames.fromClient(1, 2, 3, TcpFrames.ACK | 8, 4, 5, PAYLOAD);
        wrap(frame, false);
        view.sequence(77);
        view.stripPayload(0);
        final TcpFrames.Segment bare = TcpFrames.read(frame, view.headerBytes());
        assertEquals(77, bare.sequence());
        assertEquals(3, bare.acknowledgment());
        assertEquals(TcpFrames.ACK, bare.flags());
        assertEquals(4, bare.timestamp());
        assertEquals(0, bare.payload().length);
    }

    @Test
    void shouldReadIpv6() {
        final byte[] segment = TcpFrames.tcp(0, 0, 1_000, 80, 5, 6, TcpFrames.ACK, new byte[0], PAYLOAD);
        assertEquals(Kind.TCP, wrap(TcpFrames.ipv6(1, 2, 6, segment), false));
        assertEquals(2, view.key().localLow);
        assertEquals(1, view.key().remoteLow);
        assertEquals(5 + PAYLOAD.length, view.end());
        assertEquals(Kind.OTHER, wrap(TcpFrames.ipv6(1, 2, 0, segment), false), "an extension header");
    }

    @Test
    void shouldTakeUdpAndEchoesForDatagrams() {
        assertEquals(Kind.DATAGRAM, wrap(TcpFrames.udp(SOURCE, DESTINATION, 53, 4_000), false));
        assertFalse(view.key().isTcp());
        final byte[] request = {8, 0, 0, 0, 0x12, 0x34, 0, 1};
        assertEquals(Kind.DATAGRAM, wrap(TcpFrames.ipv4(SOURCE, DESTINATION, 1, request), false));
        final long ports = view.key().ports;
        final byte[] reply = {0, 0, 0, 0, 0x12, 0x34, 0, 1};
        assertEquals(Kind.DATAGRAM, wrap(TcpFrames.ipv4(DESTINATION, SOURCE, 1, reply), true));
        assertEquals(ports, view.key().ports);
        final byte[] unreachable = {3, 0, 0, 0, 0x12, 0x34, 0, 1};
        assertEquals(Kind.OTHER, wrap(TcpFrames.ipv4(SOURCE, DESTINATION, 1, unreachable), false));
    }

    @Test
    void shouldNotBelieveLengthsThatCannotBe() {
        final byte[] good = TcpFrames.fromClient(1, 2, 3, TcpFrames.ACK, 4, 5, PAYLOAD);
        for (int cut = 0; cut < good.length; cut++) {
            assertEquals(Kind.OTHER, wrap(Arrays.copyOf(good, cut), false), "cut off at " + cut);
        }
        assertEquals(Kind.TCP, wrap(Arrays.copyOf(good, good.length + 20), false), "padding");
        assertEquals(PAYLOAD.length, view.payloadBytes());
        assertOther(good, 14, 0x4f, "a longer IP header than the packet");
        assertOther(good, 14, 0x44, "a shorter IP header than there is");
        assertOther(good, 14, 0x65, "another version");
        assertOther(good, 20, 0x20, "a fragment");
        assertOther(good, 21, 1, "a later fragment");
        assertOther(good, 46, 0x40, "a TCP header that is too short");
        assertOther(good, 46, 0xf0, "a TCP header that is too long");
    }

    private void assertOther(final byte[] good, final int at, final int value, final String what) {
        final byte[] bad = good.clone();
        bad[at] = (byte) value;
        assertEquals(Kind.OTHER, wrap(bad, false), what);
    }

    /** Nothing is read or written outside: the frame fills its memory. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldStayWithinTheFrameWhateverItSays(final long seed) {
        final Random random = new Random(seed);
        for (int round = 0; round < 50_000; round++) {
            final byte[] frame = new byte[random.nextInt(120)];
            random.nextBytes(frame);
            if (frame.length >= 34) {
                frame[12] = random.nextBoolean() ? (byte) 0x08 : (byte) 0x86;
                frame[13] = frame[12] == 8 ? 0 : (byte) 0xdd;
                frame[14] = (byte) (frame[12] == 8 ? 0x45 : 0x60);
                frame[frame[12] == 8 ? 16 : 18] = 0;
                frame[frame[12] == 8 ? 23 : 20] = 6;
                frame[20] = frame[12] == 8 ? 0 : frame[20];
                frame[21] = frame[12] == 8 ? 0 : frame[21];
            }
            if (wrap(frame, random.nextBoolean()) == Kind.TCP) {
                view.sequence(random.nextInt());
                view.acknowledgment(random.nextInt());
                view.moveSelectiveAcknowledgments(random.nextInt());
                if (view.hasTimestamp()) {
                    view.timestampValue(random.nextInt());
                    view.timestampEcho(random.nextInt());
                }
                assertTrue(view.headerBytes() <= frame.length);
                view.stripPayload(0);
            }
        }
    }

    private Kind wrap(final byte[] frame, final boolean outbound) {
        return view.wrap(MemorySegment.ofArray(frame), 0, frame.length, outbound);
    }
}
