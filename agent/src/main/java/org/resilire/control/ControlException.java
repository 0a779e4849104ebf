package org.resilire.control;

/** An agent refused a command, or the command failed; the message says why, for the user. */
public final class ControlException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ControlException(final String message) {
        super(message);
    }

    public ControlException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
