package org.resilire.transport;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes connections from processes of this host on a Unix socket that belongs to the agent's user alone, on a thread of its own.
 * Removes the socket at its end, but not one that somebody else has put in its place.
 */
public final class UnixListener implements AutoCloseable {

    /** Takes a connection, which is the acceptor's to close; on the listener's thread. */
    @FunctionalInterface
    public interface Acceptor {
        void accept(SocketChannel channel) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(UnixListener.class);
    private static final String OWNER_ONLY = "rw-------";
    private static final long JOIN_MILLIS = 10_000;
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Path socket;
    private final Object socketKey;
    private final ServerSocketChannel server;
    private Thread thread;

    private UnixListener(final Path socket, final ServerSocketChannel server) throws IOException {
        this.socket = socket;
        this.server = server;
        socketKey = fileKey(socket);
    }

    /** Whether somebody listens there: its socket must not be replaced. */
    public static boolean isAnswering(final Path socket) throws IOException {
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return probe.isConnected();
        } catch (final ConnectException stale) {
            return false;
        }
    }

    /** Listens from here on, in place of what was there; connections wait until {@link #start}. */
    public static UnixListener bind(final Path socket) throws IOException {
        Files.deleteIfExists(socket);
        final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(socket));
            // Until here the directory's own mode keeps others out.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString(OWNER_ONLY));
            return new UnixListener(socket, server);
        } catch (final IOException | RuntimeException failure) {
            server.close();
            throw failure;
        }
    }

    /** Hands connections on from here on. Called once, by the thread that later closes. */
    public void start(final String threadName, final Acceptor acceptor) {
        thread = Thread.ofPlatform().daemon().name(threadName).start(() -> accept(acceptor));
    }

    private void accept(final Acceptor acceptor) {
        while (server.isOpen()) {
            try {
                acceptor.accept(server.accept());
            } catch (final ClosedChannelException closed) {
                LOG.debug("The socket {} is closed", socket);
            } catch (final IOException failure) {
                LOG.warn("The socket {} could not take a connection", socket, failure);
                // What is missing, such as a free file descriptor, is still missing a microsecond later.
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    /** Takes no more connections, removes the socket and waits for the acceptor's last word. */
    @Override
    public void close() throws IOException {
        server.close();
        if (socketKey != null && socketKey.equals(fileKey(socket))) {
            Files.deleteIfExists(socket);
        }
        if (thread != null) {
            try {
                thread.join(JOIN_MILLIS);
            } catch (final InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Device and inode. */
    private static Object fileKey(final Path file) {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (final IOException gone) {
            return null;
        }
    }
}
