package org.resilire.net.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Reads, and changes where it stands, an Ethernet frame: IPv4 or IPv6 with TCP, UDP or ICMP echo. What it does not know (VLAN tags,
 * IPv6 extension headers, fragments) or what is malformed is {@link Kind#OTHER}: every length is checked before it is believed,
 * since frames come from anywhere. Changes keep the TCP checksum right by its difference (RFC 1624), so that a frame which was
 * damaged on its way stays so.
 *
 * <pre>
 *    0           14         14 + IP header      + TCP header
 *   ┌───────────┬──────────┬───────────────────┬─────────┐
 *   │ Ethernet  │ IP       │ TCP, options      │ payload │ padding …
 *   └───────────┴──────────┴───────────────────┴─────────┘
 * </pre>
 *
 * <p>A flyweight: allocates nothing, one thread.
 */
public final class FrameView {

    /** What a frame carries. */
    public enum Kind {
        /** Nothing that is looked into. */
        OTHER,
        TCP,
        /** UDP, or an ICMP echo, whose identifier takes a port's place. */
        DATAGRAM
    }

    static final int PROTOCOL_TCP = 6;

    static final int FIN = 0x01;
    static final int SYN = 0x02;
    static final int RST = 0x04;
    static final int ACK = 0x10;

    private static final int PROTOCOL_ICMP = 1;
    private static final int PROTOCOL_UDP = 17;
    private static final int PROTOCOL_ICMPV6 = 58;
    private static final int ETHERNET_BYTES = 14;
    private static final int ETHERTYPE_OFFSET = 12;
    private static final int ETHERTYPE_IPV4 = 0x0800;
    private static final int ETHERTYPE_IPV6 = 0x86dd;
    private static final int IPV4_MIN_BYTES = 20;
    private static final int IPV6_BYTES = 40;
    private static final int TCP_MIN_BYTES = 20;
    private static final int DATAGRAM_BYTES = 8;
    /** More fragments, or not the first. */
    private static final int FRAGMENT_BITS = 0x3fff;

    private static final int OPTION_END = 0;
    private static final int OPTION_NOP = 1;
    private static final int OPTION_SACK = 5;
    private static final int OPTION_TIMESTAMP = 8;
    private static final int TIMESTAMP_BYTES = 10;
    private static final int SACK_BLOCK_BYTES = 8;
    private static final int NOT_THERE = -1;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final FlowKey key = new FlowKey();
    private Kind kind = Kind.OTHER;
    private MemorySegment memory;
    private long segmentAt;
    private int headersBytes;
    private int tcpHeaderBytes;
    private int payloadBytes;
    private int flags;
    private int timestampAt;
    private int sackAt;
    private int sackBlocks;

    /**
     * Looks at a frame. What the accessors of TCP fields say is only of account if the kind is {@link Kind#TCP}, and the key's only
     * if it is not {@link Kind#OTHER}.
     *
     * @param outbound sent by the guest, so that its source is the local end
     */
    public Kind wrap(final MemorySegment frames, final long offset, final int lengthBytes, final boolean outbound) {
        memory = frames;
        kind = Kind.OTHER;
        if (lengthBytes >= ETHERNET_BYTES) {
            final int type = unsignedShort(offset + ETHERTYPE_OFFSET);
            if (type == ETHERTYPE_IPV4) {
                readIpv4(offset + ETHERNET_BYTES, lengthBytes - ETHERNET_BYTES, outbound);
            } else if (type == ETHERTYPE_IPV6) {
                readIpv6(offset + ETHERNET_BYTES, lengthBytes - ETHERNET_BYTES, outbound);
            }
        }
        return kind;
    }

    private void readIpv4(final long at, final int presentBytes, final boolean outbound) {
        if (presentBytes < IPV4_MIN_BYTES) {
            return;
        }
        final int first = unsignedByte(at);
        final int headerBytes = (first & 0x0f) * Integer.BYTES;
        final int totalBytes = unsignedShort(at + 2);
        final boolean sane = first >> 4 == 4
                && headerBytes >= IPV4_MIN_BYTES
                && headerBytes <= totalBytes
                && totalBytes <= presentBytes
                && (unsignedShort(at + 6) & FRAGMENT_BITS) == 0;
        if (!sane) {
            return;
        }
        final long source = memory.get(INT, at + 12) & 0xffff_ffffL;
        final long destination = memory.get(INT, at + 16) & 0xffff_ffffL;
        headersBytes = ETHERNET_BYTES + headerBytes;
        readTransport(4, unsignedByte(at + 9), at + headerBytes, totalBytes - headerBytes, outbound);
        key.set(0, outbound ? source : destination, 0, outbound ? destination : source, key.ports);
    }

    private void readIpv6(final long at, final int presentBytes, final boolean outbound) {
        if (presentBytes < IPV6_BYTES || unsignedByte(at) >> 4 != 6) {
            return;
        }
        final int carriedBytes = unsignedShort(at + 4);
        if (carriedBytes > presentBytes - IPV6_BYTES) {
            return;
        }
        final long source = at + 8;
        final long destination = at + 24;
        final long local = outbound ? source : destination;
        final long remote = outbound ? destination : source;
        headersBytes = ETHERNET_BYTES + IPV6_BYTES;
        readTransport(6, unsignedByte(at + 6), at + IPV6_BYTES, carriedBytes, outbound);
        key.set(
                memory.get(LONG, local),
                memory.get(LONG, local + Long.BYTES),
                memory.get(LONG, remote),
                memory.get(LONG, remote + Long.BYTES),
                key.ports);
    }

    private void readTransport(
            final int version, final int protocol, final long at, final int bytes, final boolean outbound) {
        segmentAt = at;
        if (protocol == PROTOCOL_TCP) {
            readTcp(at, bytes);
        } else if (protocol == PROTOCOL_UDP && bytes >= DATAGRAM_BYTES) {
            kind = Kind.DATAGRAM;
        } else if (isEcho(protocol, at, bytes)) {
            kind = Kind.DATAGRAM;
            key.ports = FlowKey.ports(version, protocol, unsignedShort(at + 4), 0);
            return;
        }
        if (kind != Kind.OTHER) {
            final int source = unsignedShort(at);
            final int destination = unsignedShort(at + 2);
            key.ports =
                    FlowKey.ports(version, protocol, outbound ? source : destination, outbound ? destination : source);
        }
    }

    /** Requests and replies of one identifier are one flow. */
    private boolean isEcho(final int protocol, final long at, final int bytes) {
        if (bytes < DATAGRAM_BYTES) {
            return false;
        }
        final int type = unsignedByte(at);
        return protocol == PROTOCOL_ICMP
                ? type == 0 || type == 8
                : protocol == PROTOCOL_ICMPV6 && (type == 128 || type == 129);
    }

    private void readTcp(final long at, final int bytes) {
        if (bytes < TCP_MIN_BYTES) {
            return;
        }
        tcpHeaderBytes = (unsignedByte(at + 12) >> 4) * Integer.BYTES;
        if (tcpHeaderBytes < TCP_MIN_BYTES || tcpHeaderBytes > bytes) {
            return;
        }
        flags = unsignedByte(at + 13);
        payloadBytes = bytes - tcpHeaderBytes;
        readOptions();
        kind = Kind.TCP;
    }

    private void readOptions() {
        timestampAt = NOT_THERE;
        sackAt = NOT_THERE;
        sackBlocks = 0;
        int at = TCP_MIN_BYTES;
        while (at < tcpHeaderBytes) {
            final int option = unsignedByte(segmentAt + at);
            if (option == OPTION_END) {
                return;
            }
            if (option == OPTION_NOP) {
                at++;
                continue;
            }
            final int lengthBytes = at + 1 < tcpHeaderBytes ? unsignedByte(segmentAt + at + 1) : 0;
            if (lengthBytes < 2 || lengthBytes > tcpHeaderBytes - at) {
                return;
            }
            if (option == OPTION_TIMESTAMP && lengthBytes == TIMESTAMP_BYTES) {
                timestampAt = at + 2;
            } else if (option == OPTION_SACK && (lengthBytes - 2) % SACK_BLOCK_BYTES == 0) {
                sackAt = at + 2;
                sackBlocks = (lengthBytes - 2) / SACK_BLOCK_BYTES;
            }
            at += lengthBytes;
        }
    }

    public Kind kind() {
        return kind;
    }

    /** The flow; changes with the next {@link #wrap}. */
    public FlowKey key() {
        return key;
    }

    boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    /** From the frame's first byte to the end of the TCP header. */
    int headerBytes() {
        return headersBytes + tcpHeaderBytes;
    }

    int payloadBytes() {
        return payloadBytes;
    }

    int sequence() {
        return memory.get(INT, segmentAt + 4);
    }

    /** The sequence number after all that the segment occupies; SYN and FIN take one each. */
    int end() {
        return sequence() + payloadBytes + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
    }

    int acknowledgment() {
        return memory.get(INT, segmentAt + 8);
    }

    boolean hasTimestamp() {
        return timestampAt != NOT_THERE;
    }

    int timestampValue() {
        return memory.get(INT, segmentAt + timestampAt);
    }

    int timestampEcho() {
        return memory.get(INT, segmentAt + timestampAt + 4);
    }

    void sequence(final int value) {
        replace(4, value);
    }

    void acknowledgment(final int value) {
        replace(8, value);
    }

    void timestampValue(final int value) {
        replace(timestampAt, value);
    }

    void timestampEcho(final int value) {
        replace(timestampAt + 4, value);
    }

    /** Moves both edges of every selectively acknowledged block; nothing if there are none. */
    void moveSelectiveAcknowledgments(final int delta) {
        for (int i = 0; i < 2 * sackBlocks; i++) {
            final int at = sackAt + i * Integer.BYTES;
            replace(at, memory.get(INT, segmentAt + at) + delta);
        }
    }

    /** Makes it a bare acknowledgement that keeps its options; {@link #headerBytes()} is its new length. */
    void stripPayload(final long offset) {
        final boolean isIpv6 = isIpv6();
        final long ip = offset + ETHERNET_BYTES;
        final int bytes = isIpv6 ? tcpHeaderBytes : headersBytes - ETHERNET_BYTES + tcpHeaderBytes;
        if (isIpv6) {
            memory.set(SHORT, ip + 4, (short) bytes);
        } else {
            final int old = unsignedShort(ip + 2);
            memory.set(SHORT, ip + 2, (short) bytes);
            memory.set(SHORT, ip + 10, (short) adjusted(unsignedShort(ip + 10), old, bytes));
        }
        payloadBytes = 0;
        flags = ACK;
        memory.set(JAVA_BYTE, segmentAt + 13, (byte) ACK);
        writeChecksum(ip, isIpv6);
    }

    /** The whole checksum anew; there is no payload. */
    private void writeChecksum(final long ip, final boolean isIpv6) {
        memory.set(SHORT, segmentAt + 16, (short) 0);
        long sum = PROTOCOL_TCP + (long) tcpHeaderBytes;
        final long addresses = isIpv6 ? ip + 8 : ip + 12;
        final int addressBytes = isIpv6 ? 32 : 8;
        for (int i = 0; i < addressBytes; i += 2) {
            sum += unsignedShort(addresses + i);
        }
        for (int i = 0; i < tcpHeaderBytes; i += 2) {
            sum += unsignedShort(segmentAt + i);
        }
        memory.set(SHORT, segmentAt + 16, (short) ~fold(sum));
    }

    private boolean isIpv6() {
        return key.ports >>> FlowKey.VERSION_SHIFT == 6;
    }

    /** Replaces four bytes of the TCP header and corrects the checksum by the difference. */
    private void replace(final int at, final int value) {
        final int before = memory.get(INT, segmentAt + at);
        if (before == value) {
            return;
        }
        memory.set(INT, segmentAt + at, value);
        // At an odd place its bytes stand in the other halves of the words that are summed up.
        final boolean isOdd = (at & 1) != 0;
        final int from = isOdd ? swapped(before) : before;
        final int to = isOdd ? swapped(value) : value;
        int checksum = unsignedShort(segmentAt + 16);
        checksum = adjusted(checksum, from >>> 16, to >>> 16);
        checksum = adjusted(checksum, from & 0xffff, to & 0xffff);
        memory.set(SHORT, segmentAt + 16, (short) checksum);
    }

    /** HC' = ~(~HC + ~m + m'). */
    private static int adjusted(final int checksum, final int before, final int after) {
        return ~fold((~checksum & 0xffffL) + (~before & 0xffffL) + after) & 0xffff;
    }

    private static int fold(final long sum) {
        long folded = sum;
        while (folded > 0xffff) {
            folded = (folded & 0xffff) + (folded >>> 16);
        }
        return (int) folded;
    }

    /** Both bytes of each half exchanged. */
    private static int swapped(final int value) {
        return ((value & 0x00ff_00ff) << 8) | (value >>> 8 & 0x00ff_00ff);
    }

    private int unsignedShort(final long at) {
        return memory.get(SHORT, at) & 0xffff;
    }

    private int unsignedByte(final long at) {
        return memory.get(JAVA_BYTE, at) & 0xff;
    }
}
