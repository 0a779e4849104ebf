package org.resilire.backup;

/** What the link thread tells the standby's thread. */
sealed interface BackupEvent {

    /** A primary asks for a session; it is answered by {@link BackupLink#accept} or {@link BackupLink#refuse}. */
    record Greeted(HelloReceived hello) implements BackupEvent {}

    /** The first checkpoint of a session is in the replica: it can be started from. */
    record Ready(long epoch) implements BackupEvent {}

    /** The primary was silent for too long. */
    record PrimarySilent(long silenceNanos) implements BackupEvent {}

    /** The primary's agent says that its guest's process ended. */
    record GuestLost() implements BackupEvent {}

    /** The primary's agent says that its guest goes on unprotected. */
    record ProtectionEnded() implements BackupEvent {}

    /** The primary broke the protocol; the session was ended. */
    record ProtocolBroken(String how) implements BackupEvent {}
}
