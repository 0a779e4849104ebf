package org.resilire.primary;

/** What becomes of a guest whose backup is lost. */
public enum BackupLossPolicy {
    /** It goes on unprotected: held output leaves. */
    CONTINUE,
    /** It pauses until it is protected again: nothing leaves that is not safe. */
    PAUSE
}
