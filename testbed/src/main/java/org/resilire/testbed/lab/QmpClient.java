package org.resilire.testbed.lab;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.agrona.CloseHelper;
import org.resilire.testbed.TestbedException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A session with QEMU's machine protocol that shares no code with the agent's: what the test bed measures must not depend on
 * what it judges. Not thread-safe.
 */
public final class QmpClient implements AutoCloseable {

    private static final Duration REPLY_LIMIT = Duration.ofSeconds(10);
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer received = ByteBuffer.allocate(BUFFER_BYTES).flip();

    private QmpClient(final SocketChannel channel, final Selector selector) {
        this.channel = channel;
        this.selector = selector;
    }

    static QmpClient open(final Path socket) {
        QmpClient client = null;
        try {
            client = connect(socket);
            client.readMessage("the greeting");
            client.execute(encode("qmp_capabilities", Map.of()));
            return client;
        } catch (final IOException failure) {
            CloseHelper.quietClose(client);
            throw new TestbedException("cannot connect to QEMU at " + socket + ": " + failure.getMessage(), failure);
        } catch (final TestbedException failure) {
            // QEMU would serve it next, and nobody after it.
            CloseHelper.quietClose(client);
            throw failure;
        }
    }

    private static QmpClient connect(final Path socket) throws IOException {
        final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false);
            if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
                throw new IOException("others are waiting to be served");
            }
            final Selector selector = Selector.open();
            channel.register(selector, SelectionKey.OP_READ);
            return new QmpClient(channel, selector);
        } catch (final IOException failure) {
            channel.close();
            throw failure;
        }
    }

    /** A command to be executed more than once. */
    public static byte[] encode(final String command, final Map<String, ?> arguments) {
        final Map<String, ?> message =
                arguments.isEmpty() ? Map.of("execute", command) : Map.of("execute", command, "arguments", arguments);
        return (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** Executes a command and returns what it returned. */
    public JsonNode execute(final byte[] command) {
        try {
            final ByteBuffer bytes = ByteBuffer.wrap(command);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            while (true) {
                final JsonNode message = readMessage(shown(command));
                if (message.has("return")) {
                    return message.get("return");
                }
                if (message.has("error")) {
                    throw new TestbedException("QEMU refused " + shown(command) + ": "
                            + message.path("error").path("desc").asString(""));
                }
            }
        } catch (final IOException failure) {
            throw new TestbedException("QEMU is gone while executing " + shown(command), failure);
        }
    }

    private static String shown(final byte[] command) {
        return new String(command, StandardCharsets.UTF_8).strip();
    }

    /** Messages end with a line end and have none inside. */
    private JsonNode readMessage(final String awaited) throws IOException {
        final long deadlineNs = System.nanoTime() + REPLY_LIMIT.toNanos();
        int searchedTo = received.position();
        while (true) {
            for (; searchedTo < received.limit(); searchedTo++) {
                if (received.get(searchedTo) == '\n') {
                    return take(searchedTo);
                }
            }
            searchedTo = fill(searchedTo, deadlineNs, awaited);
        }
    }

    private JsonNode take(final int end) {
        final int start = received.position();
        received.position(end + 1);
        try {
            return JSON.readTree(received.array(), start, end - start);
        } catch (final JacksonException malformed) {
            throw new TestbedException("QEMU sent something that is not JSON", malformed);
        }
    }

    private int fill(final int searchedTo, final long deadlineNs, final String awaited) throws IOException {
        final int moved = received.position();
        received.compact();
        if (!received.hasRemaining()) {
            throw new TestbedException("QEMU sent a message of more than " + BUFFER_BYTES + " bytes");
        }
        int read = channel.read(received);
        while (read == 0) {
            final long leftMillis =
                    Duration.ofNanos(deadlineNs - System.nanoTime()).toMillis();
            if (leftMillis <= 0) {
                throw new TestbedException(
                        "QEMU did not answer " + awaited + " within " + REPLY_LIMIT.toSeconds() + " s");
            }
            selector.select(leftMillis);
            selector.selectedKeys().clear();
            read = channel.read(received);
        }
        if (read < 0) {
            throw new TestbedException("QEMU closed its control socket instead of answering " + awaited);
        }
        received.flip();
        return searchedTo - moved;
    }

    @Override
    public void close() {
        try (selector) {
            channel.close();
        } catch (final IOException failure) {
            throw new TestbedException("cannot close the connection to QEMU: " + failure.getMessage(), failure);
        }
    }
}
