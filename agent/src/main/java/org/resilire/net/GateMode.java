package org.resilire.net;

/** What happens to the frames that a guest sends. */
public enum GateMode {
    /** They leave at once, and so does what was held: nothing protects the guest, or it runs after a failover. */
    PASS,

    /** They wait until the epoch that sent them is acknowledged (law 1). */
    HOLD,

    /** They, and what was held, are dropped: another host runs this guest now. */
    DISCARD
}
