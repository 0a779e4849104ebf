package org.resilire.disk;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.resilire.transport.UnixListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves disks to clients on this host over a Unix socket, by the NBD protocol ({@code doc/proto.md} of the NBD project): fixed
 * newstyle negotiation, simple and structured replies, {@code base:allocation}. Who may connect is who may reach the socket, which
 * belongs to the agent's user alone. What comes over it is not trusted: a client that breaks the protocol loses its connection
 * and nothing else happens.
 */
public final class NbdServer implements AutoCloseable {

    /** Requests under way at a time on one connection that wait for a device. */
    public static final int DEFAULT_WORKERS = 8;

    static final int MAX_CONNECTIONS = 32;

    private static final Logger LOG = LoggerFactory.getLogger(NbdServer.class);
    private static final long IDLE_NEGOTIATION_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int MAX_WORKERS = 64;

    private final UnixListener listener;
    private final List<NbdExport> exports;
    private final int workers;
    private final Map<NbdConnection, Thread> connections = new ConcurrentHashMap<>();
    private volatile long connectionsTotal;
    private volatile boolean isClosed;

    private NbdServer(final UnixListener listener, final List<NbdExport> exports, final int workers) {
        this.listener = listener;
        this.exports = List.copyOf(exports);
        this.workers = workers;
    }

    /** Serves with {@link #DEFAULT_WORKERS}. */
    public static NbdServer start(final Path socket, final List<NbdExport> exports) throws IOException {
        return start(socket, exports, DEFAULT_WORKERS);
    }

    /**
     * Listens from here on. A socket that nobody answers on is replaced.
     *
     * @param exports the images stay the caller's, to be closed after the server
     * @param workers threads a connection may have, and so its requests under way
     * @throws DiskImageException if another server answers there
     */
    public static NbdServer start(final Path socket, final List<NbdExport> exports, final int workers)
            throws IOException {
        requireSound(exports, workers);
        if (UnixListener.isAnswering(socket)) {
            throw new DiskImageException("another server already answers on " + socket + "; end it first");
        }
        final NbdServer server = new NbdServer(UnixListener.bind(socket), exports, workers);
        server.listener.start("nbd-server", server::serve);
        return server;
    }

    private static void requireSound(final List<NbdExport> exports, final int workers) {
        final Set<String> names = new HashSet<>();
        for (final NbdExport export : exports) {
            if (!names.add(export.name())) {
                throw new IllegalArgumentException("two disks cannot both be served as '" + export.name() + "'");
            }
        }
        if (workers < 1 || workers > MAX_WORKERS) {
            throw new IllegalArgumentException(
                    "a connection must have 1 to " + MAX_WORKERS + " workers, not " + workers);
        }
    }

    private void serve(final SocketChannel channel) throws IOException {
        final long nowNanos = System.nanoTime();
        if (connections.size() >= MAX_CONNECTIONS && !makeRoom(nowNanos)) {
            LOG.warn("An NBD client is turned away: {} are connected already", MAX_CONNECTIONS);
            channel.close();
            return;
        }
        final NbdConnection connection = new NbdConnection(channel, exports, workers, nowNanos);
        final Thread thread = Thread.ofPlatform()
                .daemon()
                .name("nbd-connection")
                .unstarted(() -> {
                    try {
                        connection.run();
                    } finally {
                        connections.remove(connection);
                    }
                });
        connections.put(connection, thread);
        final long before = connectionsTotal;
        connectionsTotal = before + 1;
        thread.start();
        if (isClosed) {
            connection.close();
        }
    }

    /** Throws out the client that has negotiated longest, if that is too long. */
    private boolean makeRoom(final long nowNanos) {
        NbdConnection oldest = null;
        for (final NbdConnection connection : connections.keySet()) {
            if (oldest == null || connection.negotiatingNanos(nowNanos) > oldest.negotiatingNanos(nowNanos)) {
                oldest = connection;
            }
        }
        if (oldest == null || oldest.negotiatingNanos(nowNanos) < IDLE_NEGOTIATION_NANOS) {
            return false;
        }
        connections.remove(oldest);
        oldest.close();
        return true;
    }

    /** How many clients are connected. */
    public int connectionCount() {
        return connections.size();
    }

    /** How many clients have connected so far; written by the listener's thread. */
    public long connectionsTotal() {
        return connectionsTotal;
    }

    /** Ends all connections, waits until nothing is under way on the images, and removes the socket. */
    @Override
    public void close() throws IOException {
        isClosed = true;
        listener.close();
        try {
            for (final Map.Entry<NbdConnection, Thread> connection : connections.entrySet()) {
                connection.getKey().close();
                connection.getValue().join();
            }
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
