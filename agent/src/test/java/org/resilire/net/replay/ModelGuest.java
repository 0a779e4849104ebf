package org.resilire.net.replay;

import static org.resilire.net.replay.TcpFrames.ACK;
import static org.resilire.net.replay.TcpFrames.FIN;
import static org.resilire.net.replay.TcpFrames.RST;
import static org.resilire.net.replay.TcpFrames.SYN;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;

/**
 * A guest with a server that numbers the requests it executes, over all connections, and a TCP as strict as Linux' where that is of
 * account: it drops what acknowledges more than it has sent, answers what is out of order with what it expects, and resets what it
 * does not know. Can be copied, as a checkpoint is; the copy chooses other initial sequence numbers.
 */
final class ModelGuest {

    static final int REQUEST_BYTES = 8;
    static final int RESPONSE_BYTES = 16;

    private static final class Connection {
        int sendNext;
        int sendUnacknowledged;
        int receiveNext;
        int recentTimestamp;
        boolean isOpen;
        boolean isClosed;
        byte[] partial = new byte[0];
        final Queue<byte[]> unacknowledged = new ArrayDeque<>();

        Connection copy() {
            final Connection copy = new Connection();
            copy.sendNext = sendNext;
            copy.sendUnacknowledged = sendUnacknowledged;
            copy.receiveNext = receiveNext;
            copy.recentTimestamp = recentTimestamp;
            copy.isOpen = isOpen;
            copy.isClosed = isClosed;
            copy.partial = partial;
            copy.unacknowledged.addAll(unacknowledged);
            return copy;
        }
    }

    private final Map<Integer, Connection> connections = new TreeMap<>();
    private final Queue<byte[]> arrived = new ArrayDeque<>();
    final Queue<byte[]> sent = new ArrayDeque<>();
    private long executed;
    private final int isnSalt;
    private int isnCount;
    int clockMillis;

    ModelGuest(final int isnSalt, final int clockMillis) {
        this.isnSalt = isnSalt;
        this.clockMillis = clockMillis;
    }

    /** What a restored checkpoint is: everything but what was sent already, and but the source of initial numbers. */
    ModelGuest checkpoint(final int otherSalt) {
        final ModelGuest copy = new ModelGuest(otherSalt, clockMillis);
        connections.forEach((port, connection) -> copy.connections.put(port, connection.copy()));
        copy.arrived.addAll(arrived);
        copy.executed = executed;
        return copy;
    }

    void give(final byte[] frame) {
        arrived.add(frame);
    }

    /** Executes what the oldest frame asks for. */
    void step() {
        final byte[] frame = arrived.poll();
        if (frame != null) {
            on(TcpFrames.read(frame, frame.length));
        }
    }

    /** What a timer does. */
    void repeatUnacknowledged() {
        connections.forEach((port, connection) -> {
            int at = connection.sendUnacknowledged;
            for (final byte[] payload : connection.unacknowledged) {
                final boolean isFin = payload.length == 0;
                send(port, connection, at, isFin ? FIN | ACK : ACK, payload);
                at += isFin ? 1 : payload.length;
            }
        });
    }

    private void on(final TcpFrames.Segment segment) {
        final int port = segment.sourcePort();
        Connection connection = connections.get(port);
        if (segment.has(SYN)) {
            if (connection != null && connection.isOpen && !connection.isClosed) {
                send(port, connection, connection.sendNext, ACK, new byte[0]);
                return;
            }
            if (connection != null && !connection.isOpen) {
                send(port, connection, connection.sendNext - 1, SYN | ACK, new byte[0]);
                return;
            }
            connection = new Connection();
            connection.sendNext = (isnSalt + ++isnCount) * 0x01234567;
            connection.receiveNext = segment.sequence() + 1;
            connection.recentTimestamp = segment.timestamp();
            connections.put(port, connection);
            send(port, connection, connection.sendNext, SYN | ACK, new byte[0]);
            connection.sendUnacknowledged = ++connection.sendNext;
            return;
        }
        if (connection == null) {
            if (!segment.has(RST)) {
                sent.add(TcpFrames.fromGuest(
                        port, segment.acknowledgment(), 0, RST, clockMillis, segment.timestamp(), new byte[0]));
            }
            return;
        }
        if (segment.sequence() != connection.receiveNext) {
            send(port, connection, connection.sendNext, ACK, new byte[0]);
            return;
        }
        if (segment.acknowledgment() - connection.sendNext > 0) {
            return;
        }
        connection.isOpen = true;
        connection.recentTimestamp = segment.timestamp();
        acknowledge(connection, segment.acknowledgment());
        connection.receiveNext = segment.end();
        execute(port, connection, segment.payload());
        if (segment.has(FIN)) {
            connection.isClosed = true;
            send(port, connection, connection.sendNext, FIN | ACK, new byte[0]);
            connection.unacknowledged.add(new byte[0]);
            connection.sendNext++;
        }
    }

    private static void acknowledge(final Connection connection, final int acknowledgment) {
        while (!connection.unacknowledged.isEmpty()) {
            final int bytes = Math.max(1, connection.unacknowledged.peek().length);
            if (acknowledgment - (connection.sendUnacknowledged + bytes) < 0) {
                return;
            }
            connection.sendUnacknowledged += bytes;
            connection.unacknowledged.remove();
        }
    }

    private void execute(final int port, final Connection connection, final byte[] payload) {
        final ByteBuffer requests = ByteBuffer.allocate(connection.partial.length + payload.length);
        requests.put(connection.partial).put(payload).flip();
        while (requests.remaining() >= REQUEST_BYTES) {
            final byte[] response = ByteBuffer.allocate(RESPONSE_BYTES)
                    .putLong(requests.getLong())
                    .putLong(++executed)
                    .array();
            send(port, connection, connection.sendNext, ACK, response);
            connection.unacknowledged.add(response);
            connection.sendNext += response.length;
        }
        connection.partial = new byte[requests.remaining()];
        requests.get(connection.partial);
        if (payload.length > 0) {
            send(port, connection, connection.sendNext, ACK, new byte[0]);
        }
    }

    private void send(
            final int port, final Connection connection, final int sequence, final int flags, final byte[] payload) {
        sent.add(TcpFrames.fromGuest(
                port, sequence, connection.receiveNext, flags, clockMillis, connection.recentTimestamp, payload));
    }
}
