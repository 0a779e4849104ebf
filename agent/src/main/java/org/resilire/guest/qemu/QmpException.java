package org.resilire.guest.qemu;

import org.resilire.guest.GuestException;

/** A conversation with QEMU failed. Unless {@link Failure#REFUSED}, the connection is of no further use. */
public final class QmpException extends GuestException {

    private static final long serialVersionUID = 1L;

    /** How it failed. */
    public enum Failure {
        /** Nothing listens at the socket's path. */
        NO_SOCKET,
        /** No greeting came: QMP serves one client at a time. */
        BUSY,
        /** The peer does not speak QMP. */
        PROTOCOL,
        /** No reply within the time limit. */
        TIMED_OUT,
        /** QEMU closed the connection, which it does only by ending. */
        CLOSED,
        /** QEMU answered with an error. */
        REFUSED
    }

    private final Failure failure;

    QmpException(final Failure failure, final String message) {
        super(message);
        this.failure = failure;
    }

    QmpException(final Failure failure, final String message, final Throwable cause) {
        super(message, cause);
        this.failure = failure;
    }

    static QmpException protocol(final String detail) {
        return new QmpException(Failure.PROTOCOL, "not QMP: " + detail);
    }

    public Failure failure() {
        return failure;
    }

    @Override
    public boolean isRefusal() {
        return failure == Failure.REFUSED;
    }
}
