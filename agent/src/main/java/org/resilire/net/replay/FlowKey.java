package org.resilire.net.replay;

/**
 * Names a conversation between the guest (local) and somebody else (remote): addresses, ports, protocol. Mutable, so that looking
 * one up allocates nothing. An IPv4 address stands in the low half; {@code ports} tells the versions apart.
 */
public final class FlowKey {

    static final int VERSION_SHIFT = 40;
    private static final int PROTOCOL_SHIFT = 32;
    private static final int LOCAL_PORT_SHIFT = 16;

    long localHigh;
    long localLow;
    long remoteHigh;
    long remoteLow;
    long ports;

    void set(
            final long localHighBits,
            final long localLowBits,
            final long remoteHighBits,
            final long remoteLowBits,
            final long portsAndProtocol) {
        localHigh = localHighBits;
        localLow = localLowBits;
        remoteHigh = remoteHighBits;
        remoteLow = remoteLowBits;
        ports = portsAndProtocol;
    }

    static long ports(final int version, final int protocol, final int localPort, final int remotePort) {
        return ((long) version << VERSION_SHIFT)
                | ((long) protocol << PROTOCOL_SHIFT)
                | ((long) localPort << LOCAL_PORT_SHIFT)
                | remotePort;
    }

    boolean isTcp() {
        return (int) (ports >>> PROTOCOL_SHIFT & 0xff) == FrameView.PROTOCOL_TCP;
    }
}
