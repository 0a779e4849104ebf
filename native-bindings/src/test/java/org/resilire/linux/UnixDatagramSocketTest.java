package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixDatagramSocketTest {
    private static final int CAPACITY = 64;

    @TempDir
    Path directory;

    private Path here;
    private Path there;
    private final FrameBatch out = new FrameBatch(CAPACITY, 2048);
    private final FrameBatch in = new FrameBatch(CAPACITY, 2048);

    @BeforeEach
    void name() {
        here = directory.resolve("a");
        there = directory.resolve("b");
    }

    @AfterEach
    void free() {
        out.close();
        in.close();
    }

    @Test
    void shouldCarryFramesInOrderAndWhole() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
                UnixDatagramSocket b = UnixDatagramSocket.bind(there, here)) {
            assertEquals(0, b.receive(in));
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 5; i++) {
                    fill(i, round * 100 + i, 60 + round * 70 + i);
                }
                assertEquals(5, a.send(out, 0, 5));
                assertEquals(5, b.receive(in));
                for (int i = 0; i < 5; i++) {
                    assertEquals(60 + round * 70 + i, in.frameLengthBytes(i));
                    assertEquals(round * 100 + i, in.memory().get(JAVA_LONG_UNALIGNED, in.frameOffset(i)));
                    assertEquals(
                            (byte) round, in.memory().get(JAVA_BYTE, in.frameOffset(i) + in.frameLengthBytes(i) - 1));
                }
            }
            // The way back, with the same batches.
            fill(0, 1, 100);
            assertEquals(1, b.send(out, 0, 1));
            assertEquals(1, a.receive(in));
        }
    }

    @Test
    void shouldLoseFramesToAMissingPeerAsAWireWould() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there)) {
            fill(0, 1, 64);
            fill(1, 2, 64);
            assertEquals(2, a.send(out, 0, 2));
            assertEquals(2, a.undeliverableFrames());
            UnixDatagramSocket.bind(there, here).close();
            assertEquals(1, a.send(out, 0, 1));
            assertEquals(3, a.undeliverableFrames());
            try (UnixDatagramSocket b = UnixDatagramSocket.bind(there, here)) {
                assertEquals(2, a.send(out, 0, 2));
                assertEquals(2, b.receive(in));
                assertEquals(3, a.undeliverableFrames());
            }
        }
    }

    @Test
    void shouldLoseFramesToADeadPeerWhosePathIsStillThere() throws IOException {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there)) {
            leaveStaleSocket(there);
            fill(0, 1, 64);
            assertEquals(1, a.send(out, 0, 1));
            assertEquals(1, a.undeliverableFrames());
        }
    }

    @Test
    void shouldNotLoseFramesToASlowPeer() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
                UnixDatagramSocket b = UnixDatagramSocket.bind(there, here)) {
            int frames = 5_000;
            int sent = 0;
            int received = 0;
            int refusals = 0;
            while (received < frames) {
                // As many as there is room for, however much that is.
                boolean isFull = false;
                while (!isFull && sent < frames) {
                    int batch = Math.min(CAPACITY, frames - sent);
                    for (int i = 0; i < batch; i++) {
                        fill(i, sent + i, 1500);
                    }
                    int went = a.send(out, 0, batch);
                    isFull = went < batch;
                    refusals += isFull ? 1 : 0;
                    sent += went;
                }
                int came = b.receive(in);
                for (int i = 0; i < came; i++) {
                    assertEquals(received + i, in.memory().get(JAVA_LONG_UNALIGNED, in.frameOffset(i)));
                }
                received += came;
            }
            assertTrue(refusals > 0, "the peer was never slow");
            assertEquals(0, a.undeliverableFrames());
        }
    }

    @Test
    void shouldMarkFramesThatDoNotFit() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
                UnixDatagramSocket b = UnixDatagramSocket.bind(there, here);
                FrameBatch small = new FrameBatch(4, 100)) {
            fill(0, 1, 101);
            fill(1, 2, 100);
            assertEquals(2, a.send(out, 0, 2));
            assertEquals(2, b.receive(small));
            assertEquals(0, small.frameLengthBytes(0));
            assertEquals(100, small.frameLengthBytes(1));
            assertEquals(1, b.truncatedFrames());
        }
    }

    @Test
    void shouldTakeOverAStalePathOnly() throws IOException {
        leaveStaleSocket(here);
        UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
        LinuxException inUse = assertThrows(LinuxException.class, () -> UnixDatagramSocket.bind(here, there));
        assertEquals(Errno.EADDRINUSE, inUse.errno());
        assertTrue(inUse.getMessage().contains("a running process is bound there"), inUse.getMessage());
        a.close();
        a.close();
        assertFalse(Files.exists(here));

        Files.writeString(here, "precious");
        assertThrows(LinuxException.class, () -> UnixDatagramSocket.bind(here, there));
        assertEquals("precious", Files.readString(here));
    }

    @Test
    void shouldNotRemoveThePathOfASuccessor() throws IOException {
        UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
        Files.delete(here);
        try (UnixDatagramSocket successor = UnixDatagramSocket.bind(here, there)) {
            a.close();
            assertTrue(Files.exists(here));
            assertEquals(0, successor.receive(in));
        }
    }

    @Test
    void shouldRefuseALongPath() {
        Path path = directory.resolve("x".repeat(108));
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> UnixDatagramSocket.bind(path, there));
        assertTrue(refused.getMessage().contains("Unix sockets allow 107"), refused.getMessage());
    }

    @Test
    void shouldRefuseMoreFramesThanTheBatchHas() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there)) {
            assertThrows(IndexOutOfBoundsException.class, () -> a.send(out, 60, 5));
            assertThrows(IllegalArgumentException.class, () -> out.frameLengthBytes(0, 2049));
            FrameBatch closed = new FrameBatch(1, 100);
            closed.close();
            assertThrows(IllegalStateException.class, () -> a.receive(closed));
        }
    }

    @Test
    void shouldNotAllocate() {
        try (UnixDatagramSocket a = UnixDatagramSocket.bind(here, there);
                UnixDatagramSocket b = UnixDatagramSocket.bind(there, here)) {
            fill(0, 1, 64);
            fill(1, 2, 64);
            Allocation.assertNone("send and receive", () -> {
                if (a.send(out, 0, 2) != 2 || b.receive(in) != 2 || b.receive(in) != 0) {
                    throw new AssertionError("frames got lost");
                }
            });
        }
    }

    private void fill(int frame, long value, int lengthBytes) {
        out.frameLengthBytes(frame, lengthBytes);
        out.memory().asSlice(out.frameOffset(frame), lengthBytes).fill((byte) (value / 100));
        out.memory().set(JAVA_LONG_UNALIGNED, out.frameOffset(frame), value);
    }

    /** A path that a process which died has left behind. */
    private void leaveStaleSocket(Path path) throws IOException {
        UnixDatagramSocket dead = UnixDatagramSocket.bind(path, there);
        Path kept = directory.resolve("kept");
        Files.createLink(kept, path);
        dead.close();
        Files.move(kept, path);
    }
}
