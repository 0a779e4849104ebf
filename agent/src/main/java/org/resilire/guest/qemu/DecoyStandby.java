package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A standby that is none: two threads of this process answer as QEMU would and throw the device state away. What is said to it goes the
 * way that it goes to {@link StandbyQemu}, so that nothing of that way is new to the JVM when a guest stands still.
 *
 * <p>One thread makes, uses and closes it. Its methods throw {@link org.resilire.guest.GuestException} or {@link
 * org.resilire.linux.LinuxException}.
 */
public final class DecoyStandby implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DecoyStandby.class);

    private static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
    private static final String DONE = "{\"return\": {}}\r\n";
    private static final String LOADING = "{\"return\": {\"status\": \"inmigrate\", \"running\": false}}\r\n";
    private static final String LOADED = "{\"return\": {\"status\": \"paused\", \"running\": false}}\r\n";
    private static final String RESUMED =
            "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RESUME\"}\r\n" + DONE;

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int BUFFER_BYTES = 64 << 10;

    /** About what the devices of a small guest have. */
    private static final int STATE_BYTES = 100_000;

    private final ServerSocketChannel qmpServer;
    private final ServerSocketChannel stateServer;
    private final StandbyMonitor monitor;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state = arena.allocate(STATE_BYTES);

    private DecoyStandby(
            final ServerSocketChannel qmpServer, final ServerSocketChannel stateServer, final StandbyMonitor monitor) {
        this.qmpServer = qmpServer;
        this.stateServer = stateServer;
        this.monitor = monitor;
    }

    /**
     * Starts one.
     *
     * @param directory for two sockets, {@code qmp} and {@code in}, which stay there
     */
    public static DecoyStandby start(final Path directory) throws IOException {
        final Path qmpSocket = directory.resolve("qmp");
        final Path stateSocket = directory.resolve("in");
        ServerSocketChannel qmpServer = null;
        ServerSocketChannel stateServer = null;
        try {
            qmpServer = listen(qmpSocket);
            stateServer = listen(stateSocket);
            answer(qmpServer);
            swallow(stateServer);
            final QmpConnection qmp = QmpConnection.open(qmpSocket, LIMIT_NANOS);
            return new DecoyStandby(
                    qmpServer,
                    stateServer,
                    new StandbyMonitor(qmp, stateSocket, LIMIT_NANOS, LIMIT_NANOS, () -> ", a decoy"));
        } catch (final IOException | RuntimeException e) {
            CloseHelper.quietCloseAll(qmpServer, stateServer);
            throw e;
        }
    }

    private static ServerSocketChannel listen(final Path socket) throws IOException {
        final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            return server.bind(UnixDomainSocketAddress.of(socket));
        } catch (final IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static void answer(final ServerSocketChannel server) {
        Thread.ofPlatform().daemon().name("decoy-qmp").start(() -> {
            try (SocketChannel client = server.accept()) {
                say(client, GREETING);
                final ByteBuffer request = ByteBuffer.allocate(BUFFER_BYTES);
                boolean isLoading = false;
                // Whoever asks waits for the answer: a read is a request.
                while (client.read(request.clear()) >= 0) {
                    final String text = UTF_8.decode(request.flip()).toString();
                    if (text.contains("query-status")) {
                        isLoading = !isLoading;
                        say(client, isLoading ? LOADING : LOADED);
                    } else {
                        say(client, text.contains("cont") ? RESUMED : DONE);
                    }
                }
            } catch (final IOException e) {
                LOG.debug("The decoy is not asked any more", e);
            }
        });
    }

    private static void say(final SocketChannel client, final String text) throws IOException {
        final ByteBuffer bytes = UTF_8.encode(text);
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    private static void swallow(final ServerSocketChannel server) {
        Thread.ofPlatform().daemon().name("decoy-state").start(() -> {
            final ByteBuffer scratch = ByteBuffer.allocate(BUFFER_BYTES);
            try {
                while (server.isOpen()) {
                    swallowOne(server, scratch);
                }
            } catch (final IOException e) {
                LOG.debug("The decoy is given no more states", e);
            }
        });
    }

    private static void swallowOne(final ServerSocketChannel server, final ByteBuffer scratch) throws IOException {
        try (SocketChannel client = server.accept()) {
            int read;
            do {
                read = client.read(scratch.clear());
            } while (read >= 0);
        }
    }

    /** As {@link StandbyQemu#load}, as often as wanted, of a state that is all zero. */
    public void load() {
        monitor.load(state, STATE_BYTES);
    }

    /** As {@link StandbyQemu#resume}. */
    public void resume() {
        monitor.resume();
    }

    /** As {@link StandbyQemu#announce}. */
    public void announce() {
        monitor.announce();
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(monitor, qmpServer, stateServer, arena);
    }
}
