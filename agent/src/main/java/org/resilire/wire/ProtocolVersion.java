package org.resilire.wire;

/** Version of what two agents say to each other; the handshake refuses a peer with another one. */
public final class ProtocolVersion {

    public static final int CURRENT = 4;

    private ProtocolVersion() {}
}
