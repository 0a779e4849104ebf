package org.resilire.net;

/** What happens to the frames that a guest sends. */
public enum GateMode {
    /** They leave at once, and so does what was held: nothing protects the guest, or it runs after a failover. */
    PASS,

    /** They wait until the epoch that sent them is acknowledged (law 1). */
    HOLD,

    /**
     * Input replay: they wait until the backup has logged every frame that had arrived before them. While input is not logged, they
     * wait as with {@link #HOLD}.
     */
    LOGGED,

    /** Input replay that takes a risk: they leave at once, while input is logged; else they wait as with {@link #HOLD}. */
    AT_ONCE,

    /** They, and what was held, are dropped: another host runs this guest now. */
    DISCARD;

    /** Whether what the guest lets out before its checkpoint is safe is to be told to the backup. */
    public boolean isReplay() {
        return this == LOGGED || this == AT_ONCE;
    }

    /** Whether a backup is to have what arrives for the guest. */
    boolean isProtecting() {
        return this == HOLD || isReplay();
    }
}
