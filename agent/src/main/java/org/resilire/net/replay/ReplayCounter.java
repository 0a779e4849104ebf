package org.resilire.net.replay;

/** What a replay counts. */
public enum ReplayCounter {
    /** Frames that the guest was given again. */
    REPLAYED_FRAMES(0),
    /** Frames that arrived during the replay and were given to the guest after it. */
    QUEUED_FRAMES(1),
    /** Frames of the guest's that the world had, and that did not leave again. */
    SUPPRESSED_FRAMES(2),
    /** Segments that had left before the failover and left again, since nobody had acknowledged them. */
    REPEATED_FRAMES(3),
    /** Connections whose sequence numbers are translated. */
    TRANSLATED_FLOWS(4),
    /** Connections whose logged frames were given to the guest without what they acknowledge having been sent again. */
    DIVERGED_FLOWS(5),
    /** Logged frames of connections that the guest does not have. */
    SKIPPED_FRAMES(6),
    /** Frames that arrived when there was no room to keep them. */
    DROPPED_FRAMES(7),
    /** Flows for which there was no room: they are replayed, but neither waited for nor translated. */
    UNTRACKED_FLOWS(8),
    /** From the start of the guest's network to the last frame of the log, in nanoseconds; 0 until then. */
    REPLAY_NANOS(9);

    private final int id;

    ReplayCounter(final int id) {
        this.id = id;
    }

    int id() {
        return id;
    }
}
