package org.resilire.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.resilire.transport.UnixListener;

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

    private static final long JOIN_MILLIS = 2_000;
    private static final long GRACE_NANOS = 300_000_000;
    private static final long GRACE_STEP_NANOS = 1_000_000;

    private final Map<String, ControlHandler> handlers;
    private final UnixListener listener;
    private final Duration requestTimeout;
    private final Semaphore freeConnections = new Semaphore(MAX_CONNECTIONS);
    private final Map<ControlConnection, Thread> connections = new ConcurrentHashMap<>();
    private volatile boolean isClosed;

    private ControlServer(
            final UnixListener listener, final Map<String, ControlHandler> handlers, final Duration requestTimeout) {
        this.listener = listener;
        this.handlers = new TreeMap<>(handlers);
        this.requestTimeout = requestTimeout;
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
        if (UnixListener.isAnswering(socket)) {
            throw new AgentAlreadyRunsException(directory, directory.liveAgent());
        }
        final ControlServer control = new ControlServer(UnixListener.bind(socket), handlers, requestTimeout);
        control.listener.start("control-server", control::serve);
        return control;
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

    /** Removes the socket and ends connections; commands on their way have a moment to be answered, then are interrupted. */
    @Override
    public void close() throws IOException {
        isClosed = true;
        listener.close();
        awaitAnswers();
        for (final Map.Entry<ControlConnection, Thread> connection : connections.entrySet()) {
            connection.getKey().close();
            connection.getValue().interrupt();
        }
        try {
            for (final Thread thread : connections.values()) {
                thread.join(JOIN_MILLIS);
            }
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A command that ends the agent should still be answered. */
    private void awaitAnswers() {
        final long startNanos = System.nanoTime();
        while (connections.keySet().stream().anyMatch(ControlConnection::isAnswering)
                && System.nanoTime() - startNanos < GRACE_NANOS) {
            LockSupport.parkNanos(GRACE_STEP_NANOS);
        }
    }
}
