package org.resilire.epoch;

/** The epoch being captured has no way to the backup any more. Without a stack trace: it is an ordinary way for a session to end. */
public final class CaptureAbortedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public CaptureAbortedException() {
        super("the session with the backup ended while an epoch was captured", null, false, false);
    }
}
