package org.resilire.disk;

/** A disk image cannot be served; the message is one line for the operator. */
public final class DiskImageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DiskImageException(final String message) {
        super(message);
    }

    public DiskImageException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
