package org.resilire.net.replay;

import java.nio.ByteBuffer;

/** Builds and reads whole frames, without any code of what is tested. */
final class TcpFrames {

    static final int FIN = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int ACK = 16;

    static final int GUEST_IP = 0x0a000001;
    static final int CLIENT_IP = 0x0a000002;
    static final int GUEST_PORT = 80;

    /** A segment as its receiver sees it. */
    static final class Segment {

        private final int sourcePort;
        private final int destinationPort;
        private final int sequence;
        private final int acknowledgment;
        private final int flags;
        private final int timestamp;
        private final int echo;
        private final byte[] payload;

        Segment(
                final int sourcePort,
                final int destinationPort,
                final int sequence,
                final int acknowledgment,
                final int flags,
                final int timestamp,
                final int echo,
                final byte[] payload) {
            this.sourcePort = sourcePort;
            this.destinationPort = destinationPort;
            this.sequence = sequence;
            this.acknowledgment = acknowledgment;
            this.flags = flags;
            this.timestamp = timestamp;
            this.echo = echo;
            this.payload = payload;
        }

        int sourcePort() {
            return sourcePort;
        }

        int destinationPort() {
            return destinationPort;
        }

        int sequence() {
            return sequence;
        }

        int acknowledgment() {
            return acknowledgment;
        }

        int flags() {
            return flags;
        }

        int timestamp() {
            return timestamp;
        }

        int echo() {
            return echo;
        }

        byte[] payload() {
            return payload;
        }

        boolean has(final int flag) {
            return (flags & flag) != 0;
        }

        int end() {
            return sequence + payload.length + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
        }
    }

    private TcpFrames() {}

    static byte[] fromClient(
            final int port,
            final int sequence,
            final int acknowledgment,
            final int flags,
            final int timestamp,
            final int echo,
            final byte[] payload) {
        return segment(
                CLIENT_IP, GUEST_IP, port, GUEST_PORT, sequence, acknowledgment, flags, timestamp, echo, payload);
    }

    static byte[] fromGuest(
            final int port,
            final int sequence,
            final int acknowledgment,
            final int flags,
            final int timestamp,
            final int echo,
            final byte[] payload) {
        return segment(
                GUEST_IP, CLIENT_IP, GUEST_PORT, port, sequence, acknowledgment, flags, timestamp, echo, payload);
    }

    private static byte[] segment(
            final int source,
            final int destination,
            final int sourcePort,
            final int destinationPort,
            final int sequence,
            final int acknowledgment,
            final int flags,
            final int timestamp,
            final int echo,
            final byte[] payload) {
        final byte[] options = ByteBuffer.allocate(12)
                .put((byte) 1)
                .put((byte) 1)
                .put((byte) 8)
                .put((byte) 10)
                .putInt(timestamp)
                .putInt(echo)
                .array();
        return ipv4(
                source,
                destination,
                6,
                tcp(
                        source,
                        destination,
                        sourcePort,
                        destinationPort,
                        sequence,
                        acknowledgment,
                        flags,
                        options,
                        payload));
    }

    static byte[] tcp(
            final int source,
            final int destination,
            final int sourcePort,
            final int destinationPort,
            final int sequence,
            final int acknowledgment,
            final int flags,
            final byte[] options,
            final byte[] payload) {
        final int headerBytes = 20 + options.length;
        final ByteBuffer tcp = ByteBuffer.allocate(headerBytes + payload.length);
        tcp.putShort((short) sourcePort).putShort((short) destinationPort);
        tcp.putInt(sequence).putInt(acknowledgment);
        tcp.put((byte) ((headerBytes / 4) << 4)).put((byte) flags).putShort((short) 60_000);
        tcp.putShort((short) 0).putShort((short) 0).put(options).put(payload);
        tcp.putShort(16, (short) checksum(source, destination, 6, tcp.array()));
        return tcp.array();
    }

    static byte[] udp(final int source, final int destination, final int sourcePort, final int destinationPort) {
        final ByteBuffer udp = ByteBuffer.allocate(12);
        udp.putShort((short) sourcePort).putShort((short) destinationPort).putShort((short) 12);
        return ipv4(source, destination, 17, udp.array());
    }

    static byte[] ipv4(final int source, final int destination, final int protocol, final byte[] carried) {
        final ByteBuffer frame = ByteBuffer.allocate(14 + 20 + carried.length);
        frame.put(new byte[12]).putShort((short) 0x0800);
        frame.put((byte) 0x45).put((byte) 0).putShort((short) (20 + carried.length));
        frame.putShort((short) 0).putShort((short) 0x4000).put((byte) 64).put((byte) protocol);
        frame.putShort((short) 0).putInt(source).putInt(destination).put(carried);
        int sum = 0;
        for (int i = 14; i < 34; i += 2) {
            sum += frame.getShort(i) & 0xffff;
        }
        frame.putShort(24, (short) ~fold(sum));
        return frame.array();
    }

    static byte[] ipv6(final long sourceLow, final long destinationLow, final int protocol, final byte[] carried) {
        final ByteBuffer frame = ByteBuffer.allocate(14 + 40 + carried.length);
        frame.put(new byte[12]).putShort((short) 0x86dd);
        frame.putInt(0x6000_0000)
                .putShort((short) carried.length)
                .put((byte) protocol)
                .put((byte) 64);
        frame.putLong(0xfd00_0000_0000_0000L).putLong(sourceLow);
        frame.putLong(0xfd00_0000_0000_0000L).putLong(destinationLow);
        return frame.put(carried).array();
    }

    /** Reads a frame and insists on both checksums. */
    static Segment read(final byte[] frame, final int lengthBytes) {
        final ByteBuffer in = ByteBuffer.wrap(frame, 0, lengthBytes);
        final int totalBytes = in.getShort(16) & 0xffff;
        int sum = 0;
        for (int i = 14; i < 34; i += 2) {
            sum += in.getShort(i) & 0xffff;
        }
        if (fold(sum) != 0xffff) {
            throw new AssertionError("the IP checksum is wrong");
        }
        final byte[] tcp = new byte[totalBytes - 20];
        in.get(34, tcp);
        if (checksum(in.getInt(26), in.getInt(30), 6, tcp) != 0) {
            throw new AssertionError("the TCP checksum is wrong");
        }
        final ByteBuffer segment = ByteBuffer.wrap(tcp);
        final int headerBytes = ((tcp[12] >> 4) & 0xf) * 4;
        final byte[] payload = new byte[tcp.length - headerBytes];
        segment.get(headerBytes, payload);
        return new Segment(
                segment.getShort(0) & 0xffff,
                segment.getShort(2) & 0xffff,
                segment.getInt(4),
                segment.getInt(8),
                tcp[13] & 0xff,
                segment.getInt(24),
                segment.getInt(28),
                payload);
    }

    /** Of a segment with its pseudo header: what belongs into the field if that is 0, and 0 if the field is right. */
    static int checksum(final int source, final int destination, final int protocol, final byte[] segment) {
        int sum = (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff);
        sum += protocol + segment.length;
        for (int i = 0; i < segment.length; i++) {
            sum += (segment[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        return ~fold(sum) & 0xffff;
    }

    private static int fold(final int sum) {
        int folded = sum;
        while (folded >>> 16 != 0) {
            folded = (folded & 0xffff) + (folded >>> 16);
        }
        return folded;
    }
}
