package org.resilire.guest.qemu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Against a server that says what a script tells it to, whatever it is asked. */
@Timeout(60)
class QmpConnectionTest {

    private static final Logger LOGGER = LoggerFactory.getLogger(QmpConnectionTest.class);

    private static final long TIMEOUT = TimeUnit.SECONDS.toNanos(20);
    /** For what never comes. */
    private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(100);
    /** For something that comes, late perhaps, and then no more. */
    private static final long LONGER = TimeUnit.SECONDS.toNanos(3);

    private static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
    private static final String OK = "{\"return\": {}}\r\n";
    private static final String STOPPED = "{\"timestamp\": {}, \"event\": \"STOP\"}\r\n";
    private static final String END = "";
    private static final QmpCommand STOP = QmpCommand.of("stop");

    private Path directory;
    private Path socket;
    private ServerSocketChannel server;

    @BeforeEach
    void listen() throws IOException {
        directory = Files.createTempDirectory("resilire-test");
        socket = directory.resolve("qmp");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
    }

    @AfterEach
    void stopListening() throws IOException {
        server.close();
        Files.deleteIfExists(socket);
        Files.delete(directory);
    }

    /** The greeting, then one answer for each request, then the end of the stream. */
    private void serve(final String greeting, final String... answers) {
        Thread.ofPlatform().daemon().start(() -> {
            try (SocketChannel client = server.accept()) {
                final ByteBuffer request = ByteBuffer.allocate(64 * 1024);
                write(client, greeting);
                for (final String answer : answers) {
                    request.clear();
                    if (client.read(request) < 0) {
                        return;
                    }
                    if (answer.equals(END)) {
                        return;
                    }
                    write(client, answer);
                }
                request.clear();
                client.read(request);
            } catch (final IOException e) {
                // The client has seen enough; what it made of it is what the test looks at.
                LOGGER.debug("The client is gone", e);
            }
        });
    }

    private static void write(final SocketChannel client, final String text) throws IOException {
        final ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    @Test
    void shouldCountEventsOnTheWayToAReply() {
        serve(GREETING, OK, STOPPED + STOPPED + OK);
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            qmp.call(STOP, TIMEOUT);
            assertEquals(2, qmp.eventCount(QmpEvent.STOP));
            assertEquals(0, qmp.eventCount(QmpEvent.RESUME));
        }
    }

    @Test
    void shouldCountEventsThatComeUnasked() {
        serve(
                GREETING,
                OK,
                OK + STOPPED + "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\r\n{\"ev",
                "ent\": \"RESET\"}" + OK);
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            qmp.call(STOP, TIMEOUT);
            while (qmp.eventCount(QmpEvent.SHUTDOWN) == 0) {
                qmp.drainEvents();
            }
            assertEquals(1, qmp.eventCount(QmpEvent.STOP));
            qmp.call(STOP, TIMEOUT);
            assertEquals(1, qmp.eventCount(QmpEvent.RESET));
        }
    }

    @Test
    void shouldPassOnWhyQemuRefused() {
        serve(GREETING, OK, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"not \\u0061llowed\"}}\r\n", OK);
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            final QmpException e = assertThrows(QmpException.class, () -> qmp.call(STOP, TIMEOUT));
            assertEquals(QmpException.Failure.REFUSED, e.failure());
            assertTrue(e.getMessage().endsWith("refused stop: not allowed"), e.getMessage());
            qmp.call(STOP, TIMEOUT);
        }
    }

    @Test
    void shouldReadRepliesLongerThanItsBuffer() {
        final String text = "x".repeat(1 << 20);
        serve(GREETING, OK, STOPPED + "{\"return\": \"" + text + "\"}\r\n", OK);
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            assertEquals(
                    text,
                    qmp.execute("anything", Map.of("a", List.of(1)), TIMEOUT).asString());
            qmp.call(STOP, TIMEOUT);
            assertEquals(1, qmp.eventCount(QmpEvent.STOP));
        }
    }

    @Test
    void shouldRefuseAReplyWithoutEnd() {
        serve(GREETING, OK, "{\"return\": \"" + "x".repeat(20 << 20));
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            final QmpException e = assertThrows(QmpException.class, () -> qmp.call(STOP, TIMEOUT));
            assertEquals(QmpException.Failure.PROTOCOL, e.failure());
            assertFalse(qmp.isOpen());
        }
    }

    @Test
    void shouldNotWaitForeverForAReply() {
        serve(GREETING, OK, "{\"retu");
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            final QmpException e = assertThrows(QmpException.class, () -> qmp.call(STOP, SHORT));
            assertEquals(QmpException.Failure.TIMED_OUT, e.failure());
            // A late reply must not be taken for the next command's.
            assertFalse(qmp.isOpen());
            assertThrows(QmpException.class, () -> qmp.call(STOP, SHORT));
        }
    }

    @Test
    void shouldNoticeThatQemuEnded() {
        serve(GREETING, OK, END);
        try (QmpConnection qmp = QmpConnection.open(socket, TIMEOUT)) {
            final QmpException e = assertThrows(QmpException.class, () -> qmp.call(STOP, TIMEOUT));
            assertEquals(QmpException.Failure.CLOSED, e.failure());
        }
    }

    @Test
    void shouldTellASilentServerFromAForeignOne() {
        serve("", OK);
        assertFailure(QmpException.Failure.BUSY, SHORT);
        serve("QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) ", OK);
        assertFailure(QmpException.Failure.PROTOCOL, TIMEOUT);
        serve("{\"hello\": 1}\r\n", OK);
        assertFailure(QmpException.Failure.PROTOCOL, TIMEOUT);
        serve("{\"QMP\": ", OK);
        assertFailure(QmpException.Failure.PROTOCOL, LONGER);
    }

    @Test
    void shouldSayThatNobodyListens() throws IOException {
        server.close();
        assertFailure(QmpException.Failure.NO_SOCKET, TIMEOUT);
        Files.delete(socket);
        assertFailure(QmpException.Failure.NO_SOCKET, TIMEOUT);
    }

    private void assertFailure(final QmpException.Failure failure, final long timeoutNanos) {
        final QmpException e = assertThrows(
                QmpException.class,
                () -> QmpConnection.open(socket, timeoutNanos).close());
        assertEquals(failure, e.failure(), e.getMessage());
    }

    @Test
    void shouldEscapeArguments() {
        final QmpCommand command = QmpCommand.of("x", "path", "a\"b\\c\n", "live", false, "n", 3);
        final String json = new String(command.bytes().toArray(JAVA_BYTE), UTF_8);
        assertEquals(
                "{\"execute\":\"x\",\"arguments\":{\"path\":\"a\\\"b\\\\c\\u000a\",\"live\":false,\"n\":3}}\n", json);
    }
}
