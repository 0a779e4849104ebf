package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.resilire.linux.TapDevice;

/** With a real TAP of a name of its own, which goes away with its descriptor. */
class TapUplinkTest {

    /** From TEST-NET-2, which nobody routes. */
    private static final String HOST_ADDRESS = "198.51.100.241";

    private static final String GUEST_ADDRESS = "198.51.100.242";
    private static final int CAPACITY_BYTES = 10_240;

    private final String name = "rsl" + ProcessHandle.current().pid();
    private final MemorySegment memory = Arena.ofAuto().allocate(CAPACITY_BYTES, 64);
    private TapUplink uplink;

    @BeforeEach
    void open() {
        // Needs CAP_NET_ADMIN; the tests run as root.
        uplink = new TapUplink(TapDevice.open(name));
    }

    @AfterEach
    void close() {
        if (uplink != null) {
            uplink.close();
        }
    }

    @Test
    void shouldReadWhatTheHostSends() throws Exception {
        ip("address", "add", HOST_ADDRESS + "/30", "dev", name);
        ip("link", "set", name, "up");
        ip("neighbour", "add", GUEST_ADDRESS, "lladdr", "52:54:00:00:00:01", "dev", name);
        final byte[] payload = "a frame for the guest".getBytes(StandardCharsets.UTF_8);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(payload, payload.length, InetAddress.getByName(GUEST_ADDRESS), 9));
        }
        TestFrames.await(() -> {
            final int lengthBytes = uplink.read(memory, 0, CAPACITY_BYTES);
            final byte[] frame = memory.asSlice(0, lengthBytes).toArray(JAVA_BYTE);
            return new String(frame, StandardCharsets.ISO_8859_1).endsWith("a frame for the guest");
        });
    }

    @Test
    void shouldGiveTheHostWhatTheGuestSends() throws Exception {
        ip("link", "set", name, "up");
        final long before = statistic("rx_packets");
        assertTrue(uplink.write(memory, 0, TestFrames.LENGTH_BYTES));
        TestFrames.await(() -> statistic("rx_packets") == before + 1);
        assertEquals(0, uplink.failedWrites());
    }

    @Test
    void shouldLoseAndCountWhatTheHostRefuses() throws Exception {
        assertTrue(uplink.write(memory, 0, TestFrames.LENGTH_BYTES), "the device is down");
        assertEquals(1, uplink.failedWrites());
        ip("link", "set", name, "up");
        assertTrue(uplink.write(memory, 0, 1), "shorter than an Ethernet header");
        assertEquals(2, uplink.failedWrites());
        assertTrue(uplink.write(memory, 0, TestFrames.LENGTH_BYTES));
        assertEquals(2, uplink.failedWrites());
    }

    private long statistic(final String which) {
        try {
            return Long.parseLong(Files.readString(Path.of("/sys/class/net", name, "statistics", which))
                    .strip());
        } catch (final IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void ip(final String... arguments) throws Exception {
        final String[] command = new String[arguments.length + 1];
        command[0] = "ip";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
    }
}
