package org.resilire.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixStreamSocketTest {
    private static final long LONG_NANOS = 10_000_000_000L;

    @TempDir
    Path directory;

    @Test
    void shouldReadAndWriteUntilTheEnd() throws IOException {
        Path path = directory.resolve("s");
        try (ServerSocketChannel server = listen(path);
                UnixStreamSocket client = UnixStreamSocket.connect(path);
                SocketChannel peer = server.accept();
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocateFrom("hello");
            assertEquals(0, client.read(buffer, 0, 5));
            assertFalse(client.awaitReadable(0));
            client.writeFully(buffer, 1, 4, LONG_NANOS);
            ByteBuffer got = ByteBuffer.allocate(4);
            assertEquals(4, peer.read(got));
            peer.write(got.flip());
            assertTrue(client.awaitReadable(LONG_NANOS));
            assertEquals(4, client.read(buffer, 0, 6));
            assertEquals("elloo", buffer.getString(0));
            peer.shutdownOutput();
            peer.shutdownInput();
            assertTrue(client.awaitReadable(LONG_NANOS));
            assertEquals(-1, client.read(buffer, 0, 5));
            LinuxException broken =
                    assertThrows(LinuxException.class, () -> client.writeFully(buffer, 0, 5, LONG_NANOS));
            assertEquals(Errno.EPIPE, broken.errno());
        }
    }

    @Test
    void shouldWaitForASlowReaderNoLongerThanAsked() throws Exception {
        Path path = directory.resolve("s");
        int lengthBytes = 4 << 20;
        try (ServerSocketChannel server = listen(path);
                UnixStreamSocket client = UnixStreamSocket.connect(path);
                SocketChannel peer = server.accept();
                AnonymousMemory memory = AnonymousMemory.reserve("much to write", lengthBytes)) {
            LinuxException late = assertThrows(
                    LinuxException.class, () -> client.writeFully(memory.segment(), 0, lengthBytes, 20_000_000));
            assertEquals(Errno.ETIMEDOUT, late.errno());
            assertTrue(late.getMessage().contains("the other end does not read"), late.getMessage());
            Thread reader = Thread.ofPlatform().start(() -> readUntilEnd(peer));
            client.writeFully(memory.segment(), 0, lengthBytes, LONG_NANOS);
            peer.shutdownInput();
            reader.join();
        }
    }

    @Test
    void shouldNotAllocate() throws Exception {
        Path path = directory.resolve("s");
        try (ServerSocketChannel server = listen(path);
                UnixStreamSocket client = UnixStreamSocket.connect(path);
                SocketChannel peer = server.accept();
                AnonymousMemory memory = AnonymousMemory.reserve("a message", 4096)) {
            Thread reader = Thread.ofPlatform().start(() -> readUntilEnd(peer));
            Allocation.assertNone("read, write and poll", () -> {
                client.writeFully(memory.segment(), 8, 64, LONG_NANOS);
                if (client.read(memory.segment(), 0, 64) != 0 || client.awaitReadable(0)) {
                    throw new AssertionError("nothing was sent");
                }
            });
            peer.shutdownInput();
            reader.join();
        }
    }

    @Test
    void shouldSayThatNobodyListens() {
        LinuxException failure =
                assertThrows(LinuxException.class, () -> UnixStreamSocket.connect(directory.resolve("none")));
        assertEquals(
                "connect of " + directory.resolve("none") + " failed: ENOENT (No such file or directory)",
                failure.getMessage());
    }

    private static ServerSocketChannel listen(Path path) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
    }

    private static void readUntilEnd(SocketChannel peer) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try {
            while (peer.read(buffer.clear()) >= 0) {
                Thread.onSpinWait();
            }
        } catch (IOException e) {
            // The test is over.
            assertFalse(peer.isOpen() && peer.isConnected());
        }
    }
}
