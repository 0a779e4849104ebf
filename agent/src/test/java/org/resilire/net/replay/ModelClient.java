package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.resilire.net.replay.TcpFrames.ACK;
import static org.resilire.net.replay.TcpFrames.FIN;
import static org.resilire.net.replay.TcpFrames.RST;
import static org.resilire.net.replay.TcpFrames.SYN;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;

/**
 * A client that sends requests, a few at a time, over one connection after the other, and believes nothing: answers must come in order,
 * a reset fails the test, old timestamps are dropped as PAWS says.
 */
final class ModelClient {

    private enum State {
        OPENING,
        OPEN,
        CLOSING
    }

    private static final int REQUESTS_A_CONNECTION = 12;
    private static final int MOST_AT_A_TIME = 3;

    private final Random random;
    private final int id;
    private final boolean reusesPorts;
    private final long wanted;
    private int opened;
    private int port;
    private State state;
    private int sendNext;
    private int sendUnacknowledged;
    private int receiveNext;
    private int recentTimestamp;
    private final ByteBuffer received = ByteBuffer.allocate(1 << 12);
    private final Queue<byte[]> unacknowledged = new ArrayDeque<>();
    private int requestsOfConnection;
    private long requested;
    private long answered;
    private final List<Long> serials = new ArrayList<>();
    final Queue<byte[]> sent = new ArrayDeque<>();
    int clockMillis = 77;
    int staleTimestamps;

    ModelClient(final int id, final boolean reusesPorts, final long wanted, final Random random) {
        this.id = id;
        this.reusesPorts = reusesPorts;
        this.wanted = wanted;
        this.random = random;
        open();
    }

    private void open() {
        port = 1_000 + id + (reusesPorts ? opened % 2 : opened) * 10;
        opened++;
        state = State.OPENING;
        sendNext = random.nextInt();
        sendUnacknowledged = sendNext;
        recentTimestamp = Integer.MIN_VALUE;
        requestsOfConnection = 0;
        unacknowledged.clear();
        received.clear();
        send(sendNext, SYN, new byte[0]);
        sendNext++;
    }

    boolean isDone() {
        return answered == wanted;
    }

    @Override
    public String toString() {
        return "client " + id + " " + state + " port " + port + ", answered " + answered + " of " + requested
                + ", sent up to " + sendNext + " from " + sendUnacknowledged + ", received up to " + receiveNext;
    }

    /** The server's numbers of the answers, in the order in which they came. */
    List<Long> serials() {
        return serials;
    }

    void on(final byte[] frame, final int lengthBytes) {
        final TcpFrames.Segment segment = TcpFrames.read(frame, lengthBytes);
        if (segment.destinationPort() != port) {
            // About a connection that is over.
            return;
        }
        assertFalse(segment.has(RST), () -> "client " + id + " was reset in state " + state);
        if (state == State.OPENING) {
            onOpening(segment);
            return;
        }
        if (segment.timestamp() - recentTimestamp < 0) {
            staleTimestamps++;
            acknowledge();
            return;
        }
        if (segment.sequence() != receiveNext || segment.has(SYN)) {
            if (segment.end() != segment.sequence()) {
                acknowledge();
            }
            return;
        }
        recentTimestamp = segment.timestamp();
        assertTrue(segment.acknowledgment() - sendNext <= 0, () -> "acknowledges what was never sent " + port);
        settle(segment.acknowledgment());
        receiveNext = segment.end();
        received.put(segment.payload());
        takeAnswers();
        if (segment.end() != segment.sequence()) {
            acknowledge();
        }
        if (segment.has(FIN)) {
            assertEquals(State.CLOSING, state);
            open();
        }
    }

    private void onOpening(final TcpFrames.Segment segment) {
        if (segment.has(SYN) && segment.acknowledgment() == sendNext) {
            recentTimestamp = segment.timestamp();
            receiveNext = segment.end();
            sendUnacknowledged = sendNext;
            state = State.OPEN;
            acknowledge();
        }
    }

    private void settle(final int acknowledgment) {
        while (!unacknowledged.isEmpty()) {
            final int bytes = Math.max(1, unacknowledged.peek().length);
            if (acknowledgment - (sendUnacknowledged + bytes) < 0) {
                return;
            }
            sendUnacknowledged += bytes;
            unacknowledged.remove();
        }
    }

    private void takeAnswers() {
        received.flip();
        while (received.remaining() >= ModelGuest.RESPONSE_BYTES) {
            assertEquals(
                    requestNumber(answered),
                    received.getLong(),
                    () -> "client " + id + " port " + port + " got another's answer");
            serials.add(received.getLong());
            answered++;
        }
        received.compact();
    }

    private long requestNumber(final long request) {
        return id * 1_000_000L + request;
    }

    /** Asks for more if everything was answered. */
    void step() {
        if (state != State.OPEN || answered < requested || !unacknowledged.isEmpty()) {
            return;
        }
        if (requestsOfConnection >= REQUESTS_A_CONNECTION && requested < wanted) {
            state = State.CLOSING;
            unacknowledged.add(new byte[0]);
            send(sendNext, FIN | ACK, new byte[0]);
            sendNext++;
            return;
        }
        for (int i = 1 + random.nextInt(MOST_AT_A_TIME); i > 0 && requested < wanted; i--) {
            final byte[] request = ByteBuffer.allocate(ModelGuest.REQUEST_BYTES)
                    .putLong(requestNumber(requested++))
                    .array();
            requestsOfConnection++;
            unacknowledged.add(request);
            send(sendNext, ACK, request);
            sendNext += request.length;
        }
    }

    /** What a timer does. */
    void repeatUnacknowledged() {
        if (state == State.OPENING) {
            send(sendNext - 1, SYN, new byte[0]);
            return;
        }
        int at = sendUnacknowledged;
        for (final byte[] payload : unacknowledged) {
            final boolean isFin = payload.length == 0;
            send(at, isFin ? FIN | ACK : ACK, payload);
            at += isFin ? 1 : payload.length;
        }
    }

    private void acknowledge() {
        send(sendNext, ACK, new byte[0]);
    }

    private void send(final int sequence, final int flags, final byte[] payload) {
        final boolean isAcknowledging = (flags & ACK) != 0;
        sent.add(TcpFrames.fromClient(
                port,
                sequence,
                isAcknowledging ? receiveNext : 0,
                flags,
                clockMillis,
                isAcknowledging ? recentTimestamp : 0,
                payload));
    }
}
