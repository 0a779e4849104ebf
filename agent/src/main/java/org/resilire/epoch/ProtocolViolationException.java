package org.resilire.epoch;

/** A peer sent something that cannot be right. The session ends; the replica stays as it was. */
public final class ProtocolViolationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ProtocolViolationException(final String message) {
        super(message);
    }
}
