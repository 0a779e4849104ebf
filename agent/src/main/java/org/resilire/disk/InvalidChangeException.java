package org.resilire.disk;

/** A primary sent changes of a disk that cannot be; nothing of them has been applied. */
public final class InvalidChangeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InvalidChangeException(final String message) {
        super(message);
    }
}
