package org.resilire.testbed;

/** Something of the test bed went wrong. The message is for its user: what was being done, what happened, what to do. */
public final class TestbedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public TestbedException(final String message) {
        super(message);
    }

    public TestbedException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
