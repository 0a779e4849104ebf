package org.resilire.transport;

/** The transport could not be started or used. The message names the cause and what to do about it. */
public final class TransportException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public TransportException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
