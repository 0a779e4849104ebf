package org.resilire.guest.qemu;

/** QEMU's run states, {@code qapi/run-state.json}, as far as they lead to different decisions here. */
public enum RunState {
    RUNNING("running"),
    PAUSED("paused"),
    /** Started with {@code -S}; nothing has run yet. */
    PRELAUNCH("prelaunch"),
    /** Waits for, or reads, an incoming migration. */
    INMIGRATE("inmigrate"),
    SHUTDOWN("shutdown"),
    SUSPENDED("suspended"),
    GUEST_PANICKED("guest-panicked"),
    INTERNAL_ERROR("internal-error"),
    IO_ERROR("io-error"),
    /** A state that this list does not name. */
    OTHER("");

    private final String qmpName;

    RunState(final String qmpName) {
        this.qmpName = qmpName;
    }

    /** The name QEMU uses. */
    public String qmpName() {
        return qmpName;
    }
}
