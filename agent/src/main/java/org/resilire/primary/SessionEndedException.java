package org.resilire.primary;

/** The session with the backup cannot go on. */
final class SessionEndedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SessionEndedException(final String message) {
        super(message, null, false, false);
    }
}
