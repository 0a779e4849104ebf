package org.resilire.disk;

import java.io.IOException;

/** A client broke the protocol in a way that leaves nothing but to end its connection. */
final class NbdProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    NbdProtocolException(final String message) {
        super(message);
    }
}
