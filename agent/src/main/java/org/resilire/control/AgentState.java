package org.resilire.control;

/** What an agent is doing, as users see it. */
public enum AgentState {
    STARTING(1, "the agent starts"),
    CONNECTING(2, "looking for the backup; the guest runs unprotected"),
    SYNCHRONISING(3, "copying the guest's memory to the backup; the guest runs unprotected"),
    PROTECTED(4, "the guest survives the loss of this host"),
    UNPROTECTED(5, "the guest runs, and is lost if this host is"),
    BACKUP_LOST(6, "the backup is gone; the guest goes on as configured, and protection resumes by itself"),
    STANDBY_WAITING(7, "waiting for a primary"),
    STANDBY_SYNCHRONISING(8, "receiving the guest's memory; this host cannot take over yet"),
    STANDBY_READY(9, "holding a consistent copy; this host takes over if the primary fails"),
    TAKING_OVER(10, "the primary failed; starting the guest here"),
    ACTIVE(11, "the guest runs here since the primary failed"),
    SUPERSEDED(12, "another host runs the guest now; nothing that it does here gets out"),
    STOPPED(13, "the agent has ended"),
    AWAITING_OPERATOR(
            14,
            "the primary failed, but this host may not start the guest by itself: 'resilire failover' does, unless the last"
                    + " error says otherwise"),
    PAUSED_BY_OPERATOR(15, "the guest runs unprotected until 'resilire resume'"),
    WAITING_FOR_GUEST(16, "serving the guest's disks and waiting for its QEMU to start");

    private final int code;
    private final String description;

    AgentState(final int code, final String description) {
        this.code = code;
        this.description = description;
    }

    /** In the counter {@link AgentCounter#STATE}; never changes its meaning. */
    public int code() {
        return code;
    }

    /** One line for users. */
    public String description() {
        return description;
    }

    /** The state with this code, or null. */
    public static AgentState ofCode(final long code) {
        for (final AgentState state : values()) {
            if (state.code == code) {
                return state;
            }
        }
        return null;
    }
}
