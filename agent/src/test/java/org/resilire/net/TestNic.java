package org.resilire.net;

import java.nio.file.Path;
import org.resilire.linux.UnixDatagramSocket;

/** Both ends of a guest's network card, as sockets in a test's directory. */
final class TestNic {

    private static final String GUEST = "guest";
    private static final String AGENT = "agent";

    private TestNic() {}

    /** What QEMU would have. */
    static UnixDatagramSocket guestEnd(final Path directory) {
        return UnixDatagramSocket.bind(directory.resolve(GUEST), directory.resolve(AGENT));
    }

    /** A network at the other end; whatever else it is to have can be added. */
    static GuestNetworkContext context(final Path directory, final OutputEpochs epochs, final Uplink uplink) {
        return new GuestNetworkContext()
                .guestSocket(UnixDatagramSocket.bind(directory.resolve(AGENT), directory.resolve(GUEST)))
                .epochs(epochs)
                .uplink(uplink);
    }
}
