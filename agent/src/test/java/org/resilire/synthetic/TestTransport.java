package org.resilire.synthetic;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Transport;
import org.resilire.transport.TransportConfig;

/** Small Aeron transports on the loopback interface. */
public final class TestTransport {

    private static final int TERM_BYTES = 4 << 20;

    private TestTransport() {}

    public static Transport start(final Path directory) {
        return Transport.start(
                new TransportConfig(
                        Optional.empty(), 8192, TERM_BYTES, 128 << 10, 256 << 10, TransportConfig.Idle.BACKOFF),
                directory);
    }

    /** A port that nobody uses just now. */
    public static Endpoint freeEndpoint() {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            return new Endpoint("127.0.0.1", socket.getLocalPort());
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
