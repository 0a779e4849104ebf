package org.resilire.control;

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
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes commands from processes of this host, over the socket in the run directory. A request is one line with one JSON
 * object; the answer is one such line, with lines of progress before it where a command takes long:
 *
 * <pre>
 *   → {"command":"verify"}
 *   ← {"progress":"hashing 512 MiB"}
 *   ← {"ok":true,"epoch":4711}          or {"ok":false,"error":"..."}
 * </pre>
 *
 * A connection may carry one request after another. A line has at most 64 KiB and a few seconds to arrive; what is not a
 * request is answered with an error that says so. Who may connect is who may reach the socket: the agent's user and root.
 */
public final class ControlServer implements AutoCloseable {

    /** Of a request. */
    public static final int MAX_REQUEST_BYTES = 64 << 10;

    static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
    static final int MAX_CONNECTIONS = 16;

    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
    private static final String OWNER_ONLY = "rw-------";
    private static final long JOIN_MILLIS = 2_000;

    private final Map<String, ControlHandler> handlers;
    private final Path socket;
    private final Object socketKey;
    private final ServerSocketChannel server;
    private final Thread acceptor;
    private final Duration requestTimeout;
    private final Semaphore freeConnections = new Semaphore(MAX_CONNECTIONS);
    private final Map<ControlConnection, Thread> connections = new ConcurrentHashMap<>();
    private volatile boolean isClosed;

    private ControlServer(
            final ServerSocketChannel server,
            final Path socket,
            final Map<String, ControlHandler> handlers,
            final Duration requestTimeout)
            throws IOException {
        this.server = server;
        this.socket = socket;
        this.handlers = new TreeMap<>(handlers);
        this.requestTimeout = requestTimeout;
        socketKey = fileKey(socket);
        acceptor = Thread.ofPlatform().daemon().name("control-server").unstarted(this::accept);
    }

    /**
     * Listens from here on. A socket that nobody answers on is replaced.
     *
     * @param handlers by the name of the command
     * @throws AgentAlreadyRunsException if an agent answers there
     */
    public static ControlServer start(final RunDirectory directory, final Map<String, ControlHandler> handlers)
            throws IOException {
        return start(directory, handlers, REQUEST_TIMEOUT);
    }

    static ControlServer start(
            final RunDirectory directory, final Map<String, ControlHandler> handlers, final Duration requestTimeout)
            throws IOException {
        final Path socket = directory.controlSocket();
        if (isAnswering(socket)) {
            throw new AgentAlreadyRunsException(directory, directory.liveAgent());
        }
        Files.deleteIfExists(socket);
        final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(socket));
            // Until here the directory's own mode keeps others out.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString(OWNER_ONLY));
            final ControlServer control = new ControlServer(server, socket, handlers, requestTimeout);
            control.acceptor.start();
            return control;
        } catch (final IOException | RuntimeException failure) {
            server.close();
            throw failure;
        }
    }

    private static boolean isAnswering(final Path socket) throws IOException {
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return probe.isConnected();
        } catch (final ConnectException stale) {
            return false;
        }
    }

    private void accept() {
        while (!isClosed) {
            try {
                serve(server.accept());
            } catch (final ClosedChannelException closed) {
                return;
            } catch (final IOException failure) {
                LOG.warn("The control socket {} could not take a connection", socket, failure);
            }
        }
    }

    private void serve(final SocketChannel channel) throws IOException {
        final ControlConnection connection = new ControlConnection(channel, handlers, requestTimeout);
        if (!freeConnections.tryAcquire()) {
            connection.refuse("the agent serves " + MAX_CONNECTIONS + " connections already; try again later");
            return;
        }
        final Thread thread = Thread.ofPlatform()
                .daemon()
                .name("control-connection")
                .unstarted(() -> {
                    try {
                        connection.run();
                    } finally {
                        connections.remove(connection);
                        freeConnections.release();
                    }
                });
        connections.put(connection, thread);
        thread.start();
        if (isClosed) {
            connection.close();
        }
    }

    /** Names of the commands. */
    public Set<String> commands() {
        return handlers.keySet();
    }

    /** Ends connections, interrupting commands on their way, and removes the socket. */
    @Override
    public void close() throws IOException {
        isClosed = true;
        server.close();
        for (final Map.Entry<ControlConnection, Thread> connection : connections.entrySet()) {
            connection.getKey().close();
            connection.getValue().interrupt();
        }
        if (socketKey != null && socketKey.equals(fileKey(socket))) {
            Files.deleteIfExists(socket);
        }
        try {
            acceptor.join(JOIN_MILLIS);
            for (final Thread thread : connections.values()) {
                thread.join(JOIN_MILLIS);
            }
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Device and inode: another agent may have put its own socket here meanwhile. */
    private static Object fileKey(final Path file) {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (final IOException gone) {
            return null;
        }
    }
}
