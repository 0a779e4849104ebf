package org.resilire.synthetic;

import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Transport;
import org.resilire.transport.TransportConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Small Aeron transports on the loopback interface. */
public final class TestTransport {

    private static final Logger LOG = LoggerFactory.getLogger(TestTransport.class);
    private static final int TERM_BYTES = 4 << 20;
    private static final int FIRST_PORT = 12_000;
    private static final int PORTS = 20_000;

    /** Another JVM that runs tests begins elsewhere. */
    private static final AtomicInteger NEXT_PORT = new AtomicInteger(new Random().nextInt(PORTS));

    private TestTransport() {}

    public static Transport start(final Path directory) {
        return Transport.start(
                new TransportConfig(
                        Optional.empty(), 8192, TERM_BYTES, 128 << 10, 256 << 10, TransportConfig.Idle.BACKOFF),
                directory);
    }

    /**
     * A port that nobody uses just now, nor gets by chance before it is bound: below those that the kernel gives to sockets which
     * ask for any, as a transport's do by the dozen.
     */
    public static Endpoint freeEndpoint() {
        while (true) {
            final int port = FIRST_PORT + Math.floorMod(NEXT_PORT.getAndIncrement(), PORTS);
            try (DatagramSocket socket =
                    new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
                return new Endpoint("127.0.0.1", socket.getLocalPort());
            } catch (final BindException inUse) {
                // By somebody else's server.
                LOG.debug("port {} is in use", port, inUse);
            } catch (final SocketException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
