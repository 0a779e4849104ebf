package org.resilire.control;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.time.Duration;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Sends commands to an agent of this host; see {@link ControlServer}. Not thread-safe. */
public final class ControlClient implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final int MAX_ANSWER_BYTES = 1 << 20;

    private final LineChannel lines;

    private ControlClient(final LineChannel lines) {
        this.lines = lines;
    }

    /**
     * Connects to the agent of a run directory.
     *
     * @throws ConnectException if there is none, with a message for the user
     */
    public static ControlClient connect(final RunDirectory directory) throws IOException {
        if (!Files.exists(directory.controlSocket(), LinkOption.NOFOLLOW_LINKS)) {
            throw noAgent(directory, "there is no " + directory.controlSocket());
        }
        final SocketChannel channel;
        try {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(directory.controlSocket()));
        } catch (final ConnectException nobody) {
            throw noAgent(directory, "nobody answers on " + directory.controlSocket());
        }
        try {
            return new ControlClient(new LineChannel(channel, MAX_ANSWER_BYTES));
        } catch (final IOException failure) {
            channel.close();
            throw failure;
        }
    }

    private static ConnectException noAgent(final RunDirectory directory, final String reason) {
        return new ConnectException(
                "no agent runs as " + directory.role().label() + " of VM " + directory.vmName() + ": " + reason);
    }

    /** A command without arguments, and without interest in its progress. */
    public ObjectNode request(final String command, final Duration timeout) throws IOException {
        return request(JSON.createObjectNode().put("command", command), timeout, line -> {});
    }

    /**
     * Sends a request and waits for its answer.
     *
     * @param timeout for each line that comes back
     * @return the answer, {@code "ok"} included
     * @throws ControlException if the agent refused; its message is the agent's
     */
    public ObjectNode request(final ObjectNode request, final Duration timeout, final ControlProgress progress)
            throws IOException {
        send(request, timeout);
        while (true) {
            final ObjectNode answer = read(timeout);
            if (answer.has("ok")) {
                if (!answer.get("ok").asBoolean(false)) {
                    throw new ControlException(answer.path("error").asString("the agent refused without a reason"));
                }
                return answer;
            }
            progress.report(answer.path("progress").asString(""));
        }
    }

    private void send(final ObjectNode request, final Duration timeout) throws IOException {
        try {
            lines.writeLine(JSON.writeValueAsString(request), timeout.toNanos());
        } catch (final IOException closed) {
            // An agent that has too many connections says so and closes before it is asked: the reason is still there
            // to read.
            try {
                throw new ControlException(read(timeout).path("error").asString(closed.getMessage()));
            } catch (final IOException nothingSaid) {
                closed.addSuppressed(nothingSaid);
                throw closed;
            }
        }
    }

    private ObjectNode read(final Duration timeout) throws IOException {
        final String line = lines.readLine(timeout.toNanos());
        if (line == null) {
            throw new EOFException("the agent closed the connection without an answer");
        }
        try {
            final JsonNode answer = JSON.readTree(line);
            if (answer instanceof final ObjectNode object) {
                return object;
            }
        } catch (final JacksonException malformed) {
            throw (IOException) new ProtocolException("the agent's answer is not JSON").initCause(malformed);
        }
        throw new ProtocolException("the agent's answer is not a JSON object");
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
