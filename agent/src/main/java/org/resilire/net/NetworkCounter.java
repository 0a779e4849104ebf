package org.resilire.net;

/** What the network thread counts since it started. */
public enum NetworkCounter {
    /** Frames from the guest that left after their epoch was acknowledged. */
    RELEASED_FRAMES,
    /** Frames from the guest that left at once, while nothing was protected. */
    PASSED_FRAMES,
    /** Frames waiting in the gate now. */
    HELD_FRAMES,
    /** Bytes of the frames waiting in the gate now. */
    HELD_BYTES,
    /** Frames from the guest lost because the gate was full, they were malformed, or the uplink refused them. */
    DROPPED_FRAMES_OUT,
    /** Frames from the guest thrown away because another host runs it now. */
    DISCARDED_FRAMES,
    /** Frames given to the guest's NIC. */
    DELIVERED_FRAMES,
    /** Frames for the guest waiting now because its NIC took no more. */
    QUEUED_FRAMES_IN,
    /** Frames for the guest lost because it took none for too long, or was not there. */
    DROPPED_FRAMES_IN,
    /** Bytes of the input log that a failover would replay now. */
    INPUT_LOG_BYTES,
    /** Bytes of the input log that the backup has not acknowledged yet. */
    INPUT_LAG_BYTES,
    /** How often frames had to wait because the input log was full. */
    INPUT_STALLS,
    /** Frames that left while input was logged. */
    EMITTED_FRAMES,
    /** Flows of which the backup is told how far they have gone. */
    EMITTED_FLOWS,
    /** Frames that left in the last whole epoch. */
    EMITTED_FRAMES_LAST_EPOCH,
    /** Their bytes. */
    EMITTED_BYTES_LAST_EPOCH,
    /** Frames that left of flows of which the backup cannot be told, as there was no room for them. */
    UNTRACKED_FRAMES
}
