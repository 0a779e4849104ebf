package org.resilire.guest;

/** A guest cannot be replicated, or did not do what it was asked. The message names the cause and what to do about it. */
public class GuestException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public GuestException(final String message) {
        super(message);
    }

    public GuestException(final String message, final Throwable cause) {
        super(message, cause);
    }

    /** True if the guest's process itself said that it did not do what it was told; otherwise it may have. */
    public boolean isRefusal() {
        return false;
    }
}
