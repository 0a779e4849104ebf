package org.resilire.backup;

/** What the link thread tells the standby's thread. */
sealed interface BackupEvent {

    /** A primary asks for a session; it is answered by {@link BackupLink#accept} or {@link BackupLink#refuse}. */
    record Greeted(HelloReceived hello) implements BackupEvent {}

    /** The first checkpoint of a session is in the replica: it can be started from. */
    record Ready(long epoch) implements BackupEvent {}

    /**
     * The primary was silent for too long.
     *
     * @param silenceNanos as the detector counted it
     * @param lastHeardNanos when it was surely there, in the time of {@link BackupContext#clock()}
     * @param leaseEndNanos from when on it may have gone on unprotected
     */
    record PrimarySilent(long silenceNanos, long lastHeardNanos, long leaseEndNanos) implements BackupEvent {}

    /** The primary gave up the session and asks for another one: its guest lives. */
    record GreetedAgain(HelloReceived hello) implements BackupEvent {}

    /** The primary's agent says that its guest's process ended. */
    record GuestLost() implements BackupEvent {}

    /** The primary's agent says that its guest goes on unprotected. */
    record ProtectionEnded() implements BackupEvent {}

    /** A disk of this host cannot be written; the session was ended. */
    record DiskFailed(String how) implements BackupEvent {}

    /** The primary wants to move its guest here: it stands still at this epoch, which is committed. */
    record SwitchoverAsked(long epoch) implements BackupEvent {}

    /** The primary has given its guest away: it runs here from now on, as this generation. */
    record SwitchoverCommitted(long generation) implements BackupEvent {}

    /** The primary broke the protocol; the session was ended. */
    record ProtocolBroken(String how) implements BackupEvent {}
}
