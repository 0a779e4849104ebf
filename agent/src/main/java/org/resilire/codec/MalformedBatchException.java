package org.resilire.codec;

/** A batch of page records from a peer is not what it claims to be; nothing of it may be applied. */
public final class MalformedBatchException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public MalformedBatchException(final String message) {
        super(message);
    }
}
