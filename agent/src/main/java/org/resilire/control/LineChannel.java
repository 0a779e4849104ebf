package org.resilire.control;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * Lines of UTF-8 over a socket, with a limit to their length and to the time that each takes as a whole, so that a peer that
 * sends a byte now and then holds nobody up. One thread reads and writes; any may close, which ends a wait.
 */
final class LineChannel implements AutoCloseable {

    private static final int FIRST_CAPACITY_BYTES = 4_096;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final int maxLineBytes;
    private ByteBuffer received = ByteBuffer.allocate(FIRST_CAPACITY_BYTES);
    private int searchedBytes;

    LineChannel(final SocketChannel channel, final int maxLineBytes) throws IOException {
        this.channel = channel;
        this.maxLineBytes = maxLineBytes;
        channel.configureBlocking(false);
        selector = Selector.open();
        key = channel.register(selector, SelectionKey.OP_READ);
    }

    /**
     * The next line without its end, or null if the peer has closed.
     *
     * @throws SocketTimeoutException if it is not complete in time
     * @throws ProtocolException if it is too long
     */
    String readLine(final long timeoutNanos) throws IOException {
        final long deadlineNanos = System.nanoTime() + timeoutNanos;
        while (true) {
            final String line = takeLine();
            if (line != null) {
                return line;
            }
            makeRoom();
            final int count = channel.read(received);
            if (count < 0) {
                if (received.position() > 0) {
                    throw new EOFException("the connection was closed in the middle of a line");
                }
                return null;
            }
            if (count == 0) {
                await(SelectionKey.OP_READ, deadlineNanos);
            }
        }
    }

    /**
     * Sends a line.
     *
     * @throws SocketTimeoutException if the peer does not take it in time
     */
    void writeLine(final String line, final long timeoutNanos) throws IOException {
        final long deadlineNanos = System.nanoTime() + timeoutNanos;
        final ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE, deadlineNanos);
            }
        }
    }

    private String takeLine() throws IOException {
        final int end = received.position();
        for (int i = searchedBytes; i < end; i++) {
            if (received.get(i) == '\n') {
                // Strictly: what is not UTF-8 is an error, not a question mark.
                final String line = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(received.slice(0, i))
                        .toString();
                received.flip().position(i + 1);
                received.compact();
                searchedBytes = 0;
                return line;
            }
        }
        searchedBytes = end;
        return null;
    }

    private void makeRoom() throws ProtocolException {
        if (received.hasRemaining()) {
            return;
        }
        if (received.capacity() > maxLineBytes) {
            throw new ProtocolException("a line has more than " + maxLineBytes + " bytes");
        }
        final int capacity = Math.min(received.capacity() * 2, maxLineBytes + 1);
        received = ByteBuffer.allocate(capacity).put(received.flip());
    }

    private void await(final int operation, final long deadlineNanos) throws IOException {
        final long leftMillis = (deadlineNanos - System.nanoTime()) / NANOS_PER_MILLI;
        if (leftMillis <= 0) {
            throw new SocketTimeoutException(
                    operation == SelectionKey.OP_READ
                            ? "nothing complete arrived in time"
                            : "the other side does not read what it is sent");
        }
        try {
            key.interestOps(operation);
            selector.select(leftMillis);
            selector.selectedKeys().clear();
        } catch (final ClosedSelectorException | CancelledKeyException closed) {
            throw (IOException) new AsynchronousCloseException().initCause(closed);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new AsynchronousCloseException();
        }
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
