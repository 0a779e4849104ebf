package org.resilire.fault;

/** Places where a test can make an agent fail. Each is exercised by a system test. */
public enum FailurePoint {
    /** A page that changes again and again is left out of all further epochs, so that it stays wrong: {@code verify} must find it. */
    WITHHOLD_DIRTY_PAGE,
    /** The primary's agent halts while its guest is paused. */
    PRIMARY_HALT_WHILE_PAUSED,
    /** The primary's agent halts with an epoch half sent. */
    PRIMARY_HALT_MID_EPOCH,
    /** The primary's guest is killed when an epoch was sent and not yet acknowledged. */
    GUEST_KILL_BEFORE_ACK,
    /** The backup's agent halts with an epoch staged and not yet applied. */
    BACKUP_HALT_BEFORE_COMMIT,
    /** The backup's agent halts with an epoch applied and not yet acknowledged. */
    BACKUP_HALT_BEFORE_ACK;

    /** The name used on the command line. */
    public String optionName() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
