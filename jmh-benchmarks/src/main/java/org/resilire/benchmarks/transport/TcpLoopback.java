package org.resilire.benchmarks.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** A TCP connection to this host and a thread that reads all that comes and sends short reads back: what the kernel does alone. */
final class TcpLoopback implements AutoCloseable {

    private static final int READ_BYTES = 256 << 10;

    private final SocketChannel near;
    private final Thread farThread;
    private final ByteBuffer reply = ByteBuffer.allocateDirect(Loopback.LONGEST_ECHO_BYTES);

    TcpLoopback() {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            near = SocketChannel.open(server.getLocalAddress());
            near.setOption(StandardSocketOptions.TCP_NODELAY, true);
            final SocketChannel far = server.accept();
            far.setOption(StandardSocketOptions.TCP_NODELAY, true);
            farThread = Thread.ofPlatform().daemon().name("far").start(() -> runFar(far));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void runFar(final SocketChannel far) {
        final ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
        try (far) {
            while (far.read(buffer.clear()) >= 0) {
                if (buffer.position() <= Loopback.LONGEST_ECHO_BYTES) {
                    far.write(buffer.flip());
                }
            }
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void send(final ByteBuffer message) throws IOException {
        message.clear();
        while (message.hasRemaining()) {
            near.write(message);
        }
    }

    int roundTrip(final ByteBuffer message) throws IOException {
        send(message);
        return near.read(reply.clear());
    }

    @Override
    public void close() throws IOException {
        near.close();
        try {
            farThread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
