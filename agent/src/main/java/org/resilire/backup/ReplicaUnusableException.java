package org.resilire.backup;

/** The replica cannot be kept on this host; the message says what to do. What there is of it must not be started. */
public final class ReplicaUnusableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public ReplicaUnusableException(final String message) {
        super(message);
    }
}
