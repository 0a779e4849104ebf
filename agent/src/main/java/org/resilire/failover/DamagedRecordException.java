package org.resilire.failover;

/** What an agent should know about its guest cannot be read; the message says what to find out and what to do. */
public final class DamagedRecordException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    DamagedRecordException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
