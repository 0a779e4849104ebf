package org.resilire.guest.qemu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.resilire.linux.LinuxException;
import org.resilire.linux.UnixStreamSocket;
import tools.jackson.databind.JsonNode;

/**
 * A session with QEMU's machine protocol ({@code docs/interop/qmp-spec}). Two sides: {@link #call} and {@link #send} with
 * {@link #awaitReply} for the checkpoint, which allocate nothing once the buffer has its size; {@link #execute} for
 * everything else.
 *
 * <p>Commands are answered in order, so a reply needs no id as long as none was given up: after a time limit the connection
 * is closed, lest the late reply be taken for another command's. Every failure is a {@link QmpException}. Not thread-safe.
 */
public final class QmpConnection implements AutoCloseable {

    private static final int INITIAL_BUFFER_BYTES = 64 * 1024;
    private static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
    private static final long WRITE_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final QmpEvent[] EVENTS = QmpEvent.values();

    /** Leaves the greeting state, in which QEMU accepts nothing else. */
    private static final QmpCommand QMP_CAPABILITIES = QmpCommand.of("qmp_capabilities");

    private static final QmpCommand QUERY_STATUS = QmpCommand.of("query-status");

    private final Path socketPath;
    private final UnixStreamSocket socket;
    private final QmpScanner scanner = new QmpScanner();
    private final long[] eventCounts = new long[EVENTS.length];

    private Arena bufferArena = Arena.ofShared();
    private MemorySegment buffer = bufferArena.allocate(INITIAL_BUFFER_BYTES);
    private long messageStart;
    private long scannedTo;
    private long filledTo;
    private boolean isMessagePartial;
    private boolean isOpen = true;

    private QmpConnection(final Path socketPath, final UnixStreamSocket socket) {
        this.socketPath = socketPath;
        this.socket = socket;
    }

    /**
     * Connects, reads the greeting and enters command mode.
     *
     * @param timeoutNanos for the whole handshake
     */
    public static QmpConnection open(final Path socketPath, final long timeoutNanos) {
        final QmpConnection connection = new QmpConnection(socketPath, connect(socketPath));
        try {
            final long deadline = System.nanoTime() + timeoutNanos;
            connection.awaitGreeting(deadline);
            connection.send(QMP_CAPABILITIES);
            connection.awaitReply(QMP_CAPABILITIES, deadline - System.nanoTime());
            return connection;
        } catch (final RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private static UnixStreamSocket connect(final Path socketPath) {
        try {
            return UnixStreamSocket.connect(socketPath);
        } catch (final IllegalArgumentException e) {
            throw new QmpException(QmpException.Failure.NO_SOCKET, e.getMessage(), e);
        } catch (final LinuxException e) {
            throw switch (e.errno()) {
                case ENOENT ->
                    new QmpException(
                            QmpException.Failure.NO_SOCKET,
                            "no QMP socket at " + socketPath + ": start QEMU with -qmp unix:" + socketPath
                                    + ",server=on,wait=off",
                            e);
                case ECONNREFUSED ->
                    new QmpException(
                            QmpException.Failure.NO_SOCKET,
                            "nobody listens at " + socketPath + ": its QEMU has ended, or it is not a QMP socket",
                            e);
                case EAGAIN -> busy(socketPath);
                default ->
                    new QmpException(
                            QmpException.Failure.NO_SOCKET,
                            "cannot connect to the QMP socket " + socketPath + ": " + e.getMessage(),
                            e);
            };
        }
    }

    private static QmpException busy(final Path socketPath) {
        return new QmpException(
                QmpException.Failure.BUSY,
                "another client is connected to the QMP socket " + socketPath
                        + " (no greeting came): end it, or give QEMU a second -qmp socket for this agent");
    }

    private void awaitGreeting(final long deadline) {
        try {
            if (!nextMessage(deadline)) {
                throw filledTo == 0 ? busy(socketPath) : notQmp(null);
            }
        } catch (final QmpException e) {
            throw e.failure() == QmpException.Failure.PROTOCOL ? notQmp(e) : e;
        }
        if (scanner.kind() != QmpScanner.Kind.GREETING) {
            throw notQmp(null);
        }
    }

    private QmpException notQmp(final QmpException cause) {
        return new QmpException(
                QmpException.Failure.PROTOCOL,
                "what listens at " + socketPath + " does not speak QMP: give the socket of -qmp, not of -monitor",
                cause);
    }

    /** Sends a command and waits for its reply. */
    public void call(final QmpCommand command, final long timeoutNanos) {
        send(command);
        awaitReply(command, timeoutNanos);
    }

    /** Sends a command; {@link #awaitReply} must follow before the next one. */
    public void send(final QmpCommand command) {
        final MemorySegment bytes = command.bytes();
        write(bytes, bytes.byteSize());
    }

    /**
     * Waits for the reply to the command sent last, counting events on the way.
     *
     * @throws QmpException {@code REFUSED} if QEMU answers with an error: the connection stays usable
     */
    public void awaitReply(final QmpCommand command, final long timeoutNanos) {
        awaitReply(command.name(), timeoutNanos);
    }

    private void awaitReply(final String command, final long timeoutNanos) {
        final long deadline = System.nanoTime() + timeoutNanos;
        while (true) {
            if (!nextMessageOrClose(deadline)) {
                close();
                throw timedOut(command, timeoutNanos);
            }
            switch (scanner.kind()) {
                case EVENT -> countEvent();
                case RETURN -> {
                    return;
                }
                case ERROR -> throw refused(command);
                case GREETING, OTHER -> {
                    close();
                    throw QmpException.protocol("neither reply nor event after " + command);
                }
            }
        }
    }

    private QmpException timedOut(final String command, final long timeoutNanos) {
        return new QmpException(
                QmpException.Failure.TIMED_OUT,
                "QEMU at " + socketPath + " did not answer " + command + " within "
                        + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms");
    }

    private QmpException refused(final String command) {
        final JsonNode error = QmpJson.parse(message()).path("error");
        return new QmpException(
                QmpException.Failure.REFUSED,
                "QEMU at " + socketPath + " refused " + command + ": "
                        + error.path("desc").asString("without a description"));
    }

    /** Asks for the run state; allocates nothing. */
    public RunState runState(final long timeoutNanos) {
        call(QUERY_STATUS, timeoutNanos);
        return scanner.runState();
    }

    /** Runs any command and returns what it returned. */
    public JsonNode execute(final String command, final Map<String, ?> arguments, final long timeoutNanos) {
        final byte[] encoded = QmpJson.command(command, arguments);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment bytes = arena.allocate(encoded.length);
            MemorySegment.copy(encoded, 0, bytes, JAVA_BYTE, 0, encoded.length);
            write(bytes, encoded.length);
        }
        awaitReply(command, timeoutNanos);
        return QmpJson.parse(message()).path("return");
    }

    /** Counts events that have come in, without waiting. */
    public void drainEvents() {
        while (isOpen && nextMessageOrClose(System.nanoTime())) {
            if (scanner.kind() == QmpScanner.Kind.EVENT) {
                countEvent();
            }
        }
    }

    /** How many events of a kind came since the connection was opened. */
    public long eventCount(final QmpEvent event) {
        return eventCounts[index(event)];
    }

    /** False once it was closed, by either side or after a time limit. */
    public boolean isOpen() {
        return isOpen;
    }

    public Path socketPath() {
        return socketPath;
    }

    private void countEvent() {
        eventCounts[index(scanner.event())]++;
    }

    @SuppressWarnings("EnumOrdinal") // An index into an array of this class, never stored or sent.
    private static int index(final QmpEvent event) {
        return event.ordinal();
    }

    private void write(final MemorySegment bytes, final long lengthBytes) {
        if (!isOpen) {
            throw new QmpException(QmpException.Failure.CLOSED, "the QMP connection to " + socketPath + " is closed");
        }
        try {
            socket.writeFully(bytes, 0, lengthBytes, WRITE_TIMEOUT_NANOS);
        } catch (final LinuxException e) {
            close();
            throw new QmpException(
                    QmpException.Failure.CLOSED, "QEMU at " + socketPath + " is gone: " + e.getMessage(), e);
        }
    }

    private boolean nextMessageOrClose(final long deadline) {
        try {
            return nextMessage(deadline);
        } catch (final QmpException e) {
            close();
            throw e;
        }
    }

    /**
     * Reads until the scanner has seen one more message, which then lies in {@code [messageStart, scannedTo)} of the buffer;
     * false at the deadline. Part of a message stays where it is, and the next call goes on behind it.
     */
    private boolean nextMessage(final long deadline) {
        if (!isMessagePartial) {
            messageStart = scannedTo;
        }
        isMessagePartial = true;
        while (true) {
            final long end = scanner.scan(buffer, scannedTo, filledTo);
            if (end != QmpScanner.INCOMPLETE) {
                scannedTo = end;
                isMessagePartial = false;
                return true;
            }
            scannedTo = filledTo;
            makeRoom();
            if (!fill(deadline)) {
                return false;
            }
        }
    }

    private boolean fill(final long deadline) {
        while (true) {
            final int read = read((int) (buffer.byteSize() - filledTo));
            if (read > 0) {
                filledTo += read;
                return true;
            }
            if (read < 0) {
                throw new QmpException(
                        QmpException.Failure.CLOSED,
                        "QEMU at " + socketPath + " has closed the connection: it has ended");
            }
            final long remaining = deadline - System.nanoTime();
            if (remaining <= 0 || !socket.awaitReadable(remaining)) {
                return false;
            }
        }
    }

    private int read(final int capacity) {
        try {
            return socket.read(buffer, filledTo, capacity);
        } catch (final LinuxException e) {
            throw new QmpException(
                    QmpException.Failure.CLOSED, "cannot read from QEMU at " + socketPath + ": " + e.getMessage(), e);
        }
    }

    private void makeRoom() {
        if (messageStart == filledTo) {
            messageStart = 0;
            scannedTo = 0;
            filledTo = 0;
        } else if (filledTo == buffer.byteSize()) {
            if (messageStart > 0) {
                MemorySegment.copy(buffer, messageStart, buffer, 0, filledTo - messageStart);
            } else {
                grow();
            }
            filledTo -= messageStart;
            scannedTo -= messageStart;
            messageStart = 0;
        }
    }

    private void grow() {
        if (buffer.byteSize() >= MAX_MESSAGE_BYTES) {
            throw QmpException.protocol("a message of more than " + MAX_MESSAGE_BYTES + " bytes");
        }
        final Arena largerArena = Arena.ofShared();
        final MemorySegment larger = largerArena.allocate(buffer.byteSize() * 2);
        MemorySegment.copy(buffer, 0, larger, 0, filledTo);
        bufferArena.close();
        bufferArena = largerArena;
        buffer = larger;
    }

    private byte[] message() {
        final byte[] copy = new byte[(int) (scannedTo - messageStart)];
        MemorySegment.copy(buffer, JAVA_BYTE, messageStart, copy, 0, copy.length);
        return copy;
    }

    /** Lets QEMU serve another client. */
    @Override
    public void close() {
        if (isOpen) {
            isOpen = false;
            socket.close();
            bufferArena.close();
        }
    }
}
