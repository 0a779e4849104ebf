package org.resilire.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** One client of the {@link ControlServer}: requests in, answers out, until either side has enough. */
final class ControlConnection implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControlConnection.class);
    private static final JsonMapper JSON = new JsonMapper();

    private final Map<String, ControlHandler> handlers;
    private final LineChannel lines;
    private final long requestTimeoutNanos;
    private volatile boolean answering;

    ControlConnection(
            final SocketChannel channel, final Map<String, ControlHandler> handlers, final Duration requestTimeout)
            throws IOException {
        lines = new LineChannel(channel, ControlServer.MAX_REQUEST_BYTES);
        this.handlers = handlers;
        requestTimeoutNanos = requestTimeout.toNanos();
    }

    void run() {
        try (lines) {
            boolean isOpen = true;
            while (isOpen) {
                isOpen = answerNext();
            }
        } catch (final IOException gone) {
            LOG.debug("A control connection ended", gone);
        } catch (final InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    /** True while a request is carried out and not answered yet. Any thread. */
    boolean isAnswering() {
        return answering;
    }

    /** Says why not, and closes. */
    void refuse(final String reason) throws IOException {
        try (lines) {
            send(error(reason));
        }
    }

    private boolean answerNext() throws IOException, InterruptedException {
        final String line;
        try {
            line = lines.readLine(requestTimeoutNanos);
        } catch (final IOException unreadable) {
            // Where the next line would begin is not known after this: so the answer is the last.
            send(error("the request was not read: " + unreadable.getMessage()));
            return false;
        }
        if (line == null) {
            return false;
        }
        answering = true;
        send(answer(line));
        answering = false;
        return true;
    }

    private ObjectNode answer(final String line) throws InterruptedException {
        final JsonNode request;
        try {
            request = JSON.readTree(line);
        } catch (final JacksonException malformed) {
            return error("a request must be one JSON object on one line: " + malformed.getOriginalMessage());
        }
        final JsonNode command = request.isObject() ? request.get("command") : null;
        if (command == null || !command.isString()) {
            return error("a request must be a JSON object with a text \"command\", one of " + handlers.keySet());
        }
        final ControlHandler handler = handlers.get(command.stringValue());
        return handler == null
                ? error("there is no command \"" + command.stringValue() + "\", only " + handlers.keySet())
                : carryOut(handler, command.stringValue(), request);
    }

    private ObjectNode carryOut(final ControlHandler handler, final String name, final JsonNode request)
            throws InterruptedException {
        try {
            final ObjectNode answer = JSON.createObjectNode().put("ok", true);
            final ObjectNode result = handler.handle(request, this::reportProgress);
            return result == null ? answer : answer.setAll(result);
        } catch (final ControlException refused) {
            return error(refused.getMessage());
        } catch (final RuntimeException failure) {
            LOG.error("The command {} failed", name, failure);
            return error(name + " failed: " + failure);
        }
    }

    private void reportProgress(final String line) {
        try {
            send(JSON.createObjectNode().put("progress", line));
        } catch (final IOException nobodyListens) {
            LOG.debug("Progress was not read", nobodyListens);
        }
    }

    private void send(final ObjectNode message) throws IOException {
        lines.writeLine(JSON.writeValueAsString(message), ControlServer.ANSWER_TIMEOUT.toNanos());
    }

    private static ObjectNode error(final String message) {
        return JSON.createObjectNode().put("ok", false).put("error", message);
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
