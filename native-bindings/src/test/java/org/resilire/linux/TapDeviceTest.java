package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A TAP interface of the host that runs the tests; it exists as long as the test. */
@Timeout(60)
class TapDeviceTest {
    private static final int FRAME_BYTES = 1514;
    private static final int ETHERTYPE_OFFSET = 12;

    private final String name = "rt" + ProcessHandle.current().pid();
    private final AnonymousMemory memory = AnonymousMemory.reserve("frames", 1 << 16);
    private final MemorySegment segment = memory.segment();

    @BeforeEach
    void needNetAdmin() {
        Requires.capability(Capability.CAP_NET_ADMIN);
    }

    @AfterEach
    void free() {
        memory.close();
    }

    @Test
    void shouldExchangeFramesWithTheHost() throws Exception {
        try (TapDevice tap = TapDevice.open(name)) {
            assertEquals(0, tap.read(segment, 0, FRAME_BYTES));
            up(name);
            // An address on the interface and a packet to a neighbour make the host ask for it: an ARP request.
            command("ip", "addr", "add", "198.51.100.1/30", "dev", name);
            long before = receivedPackets();
            try (DatagramSocket socket = new DatagramSocket()) {
                InetAddress neighbour = InetAddress.getByAddress(new byte[] {(byte) 198, 51, 100, 2});
                socket.send(new DatagramPacket(new byte[1], 1, neighbour, 9));
                Target.await("an ARP request from the host", () -> {
                    int lengthBytes = tap.read(segment, 64, FRAME_BYTES);
                    return lengthBytes >= 42 && etherType(64) == 0x0806;
                });
            }
            segment.asSlice(4096, 64).fill((byte) 0xff);
            assertTrue(tap.write(segment, 4096, 60));
            Target.await("the host to have got the frame", () -> receivedPackets() > before);
        }
        assertFalse(exists(name), "the interface outlived its descriptor");
    }

    @Test
    void shouldDropFramesWhileTheInterfaceIsDown() {
        try (TapDevice tap = TapDevice.open(name)) {
            assertTrue(tap.write(segment, 0, 60));
            assertEquals(1, tap.droppedFrames());
        }
    }

    @Test
    void shouldNotAllocate() throws Exception {
        try (TapDevice tap = TapDevice.open(name)) {
            up(name);
            segment.asSlice(4096, 64).fill((byte) 0xff);
            Allocation.assertNone("read and write", () -> {
                tap.read(segment, 0, FRAME_BYTES);
                tap.write(segment, 4096, 60);
            });
        }
    }

    @Test
    void shouldSayWhatIsWrong() {
        assertThrows(IllegalArgumentException.class, () -> TapDevice.open("a-name-that-is-too-long"));
        try (TapDevice tap = TapDevice.open(name)) {
            LinuxException busy = assertThrows(LinuxException.class, () -> TapDevice.open(name));
            assertEquals(
                    "TUNSETIFF of TAP interface " + tap.name() + " failed: EBUSY (Device or resource busy);"
                            + " another process has it open",
                    busy.getMessage());
            assertThrows(IndexOutOfBoundsException.class, () -> tap.read(segment, 1 << 16, 1));
            assertThrows(IllegalArgumentException.class, () -> tap.write(MemorySegment.ofArray(new byte[64]), 0, 64));
        }
    }

    private int etherType(long offset) {
        return (segment.get(JAVA_BYTE, offset + ETHERTYPE_OFFSET) & 0xff) << 8
                | (segment.get(JAVA_BYTE, offset + ETHERTYPE_OFFSET + 1) & 0xff);
    }

    private long receivedPackets() {
        try {
            return Long.parseLong(Files.readString(Path.of("/sys/class/net/" + name + "/statistics/rx_packets"))
                    .strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean exists(String name) throws SocketException {
        return NetworkInterface.getByName(name) != null;
    }

    private static void up(String name) throws Exception {
        command("ip", "link", "set", name, "up");
    }

    private static void command(String... words) throws Exception {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), String.join(" ", words) + ": " + said);
    }
}
