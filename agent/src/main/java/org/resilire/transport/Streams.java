package org.resilire.transport;

/** Aeron stream ids of a replication channel. Heartbeats have their own stream, so that bulk data never delays them. */
public final class Streams {

    /** Primary to backup: handshake and epochs. */
    public static final int REPLICATION = 4721;

    /** Primary to backup: heartbeats and notices about the primary's guest. */
    public static final int PRIMARY_HEARTBEAT = 4722;

    /** Primary to backup: frames that arrived for the guest. */
    public static final int INPUT = 4724;

    /** Backup to primary: answers, acknowledgements and heartbeats. */
    public static final int REPLY = 4723;

    private Streams() {}
}
