package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.synthetic.Await;

/**
 * Clients that send nonsense, seeded: bytes at random, and sound messages with fields changed, cut off or repeated. Whatever they
 * do, the server answers or ends the connection, the file keeps its length, nothing is written where no valid request points, and
 * the next client is served.
 */
@Timeout(120)
class NbdHostileClientTest {

    private static final int LENGTH_BYTES = 1 << 20;
    private static final int ROUNDS = 150;

    @TempDir
    Path directory;

    private Path path;
    private Path socket;
    private DiskImage image;
    private NbdServer server;

    @BeforeEach
    void serve() throws IOException {
        path = TestImage.sparse(directory.resolve("image"), LENGTH_BYTES, 3);
        socket = directory.resolve("nbd");
        image = DiskImage.open(path, false, WriteObserver.NONE);
        server = NbdServer.start(socket, List.of(new NbdExport("d0", image)));
    }

    @AfterEach
    void end() throws IOException {
        server.close();
        image.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldSurviveNonsenseInTheNegotiation(final long seed) throws IOException {
        final Random random = new Random(seed);
        final byte[] before = Files.readAllBytes(path);
        for (int round = 0; round < ROUNDS; round++) {
            try (TestNbdClient client = TestNbdClient.connect(socket)) {
                send(client, negotiation(random));
            }
        }
        assertServesOn(before);
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 5, 6})
    void shouldSurviveNonsenseInRequestsAndWriteOnlyWhereAsked(final long seed) throws IOException {
        final Random random = new Random(seed);
        final byte[] expected = Files.readAllBytes(path);
        final boolean[] mayDiffer = new boolean[LENGTH_BYTES];
        for (int round = 0; round < ROUNDS; round++) {
            try (TestNbdClient client =
                    random.nextBoolean() ? TestNbdClient.go(socket, "d0") : TestNbdClient.simple(socket, "d0")) {
                send(client, requests(random, mayDiffer));
            }
        }
        Await.until("all connections end", () -> server.connectionCount() == 0);
        final byte[] after = Files.readAllBytes(path);
        assertEquals(LENGTH_BYTES, after.length);
        for (int i = 0; i < LENGTH_BYTES; i++) {
            if (after[i] != expected[i] && !mayDiffer[i]) {
                throw new AssertionError("byte " + i + " was written though no request asked for it");
            }
        }
        assertServesOn(after);
    }

    /** Sends everything, ends its side and reads whatever comes until the server has ended the other. */
    private static void send(final TestNbdClient client, final byte[] bytes) throws IOException {
        final Thread reader = Thread.ofPlatform().daemon().start(client::drain);
        try {
            client.send(ByteBuffer.allocate(bytes.length).put(bytes));
            client.channel().shutdownOutput();
        } catch (final IOException endedEarly) {
            // The server may have seen enough.
        }
        try {
            reader.join(30_000);
        } catch (final InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        assertFalse(reader.isAlive(), "the server neither answers nor ends the connection");
    }

    private static byte[] negotiation(final Random random) {
        final ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
        final int options = random.nextInt(1, 6);
        for (int i = 0; i < options; i++) {
            final byte[] data = optionData(random);
            final int option = random.nextInt(12);
            bytes.putLong(random.nextInt(20) == 0 ? random.nextLong() : Nbd.OPTION_MAGIC)
                    .putInt(random.nextInt(10) == 0 ? random.nextInt() : option == Nbd.OPT_EXPORT_NAME ? 3 : option);
            bytes.putInt(random.nextInt(8) == 0 ? anyInt(random, data.length) : data.length);
            bytes.put(data);
        }
        return cutOff(bytes, random);
    }

    private static byte[] optionData(final Random random) {
        final byte[] data = switch (random.nextInt(6)) {
            case 0 -> new byte[0];
            case 1 -> TestNbdClient.name("d0");
            case 2 -> TestNbdClient.metaContext("d0", "base:allocation", "base:", "");
            case 3 -> TestNbdClient.metaContext("nosuch", "qemu:dirty-bitmap:x");
            case 4 -> TestNbdClient.name("x".repeat(random.nextInt(5000)));
            default -> {
                final byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                yield noise;
            }
        };
        if (data.length > 0 && random.nextInt(3) == 0) {
            data[random.nextInt(data.length)] = (byte) random.nextInt();
        }
        return data;
    }

    private static byte[] requests(final Random random, final boolean[] mayDiffer) {
        final ByteBuffer bytes = ByteBuffer.allocate(4 << 20);
        final int count = random.nextInt(1, 12);
        for (int i = 0; i < count; i++) {
            final int command = random.nextInt(10) == 0 ? random.nextInt() & 0xffff : random.nextInt(8);
            final long offset = random.nextInt(3) == 0 ? anyLong(random) : random.nextInt(LENGTH_BYTES);
            final int lengthBytes = command == Nbd.CMD_WRITE
                    ? random.nextInt(100_000)
                    : random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(200_000);
            bytes.putInt(random.nextInt(20) == 0 ? random.nextInt() : Nbd.REQUEST_MAGIC);
            bytes.putShort((short) (random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(16)));
            bytes.putShort((short) command)
                    .putLong(random.nextLong())
                    .putLong(offset)
                    .putInt(lengthBytes);
            final boolean isChange = command == Nbd.CMD_WRITE || command == Nbd.CMD_TRIM || command == 6;
            if (isChange && offset >= 0 && lengthBytes > 0 && offset <= LENGTH_BYTES - lengthBytes) {
                Arrays.fill(mayDiffer, (int) offset, (int) offset + lengthBytes, true);
            }
            if (command == Nbd.CMD_WRITE) {
                final byte[] data = new byte[lengthBytes];
                random.nextBytes(data);
                bytes.put(data);
            }
        }
        return cutOff(bytes, random);
    }

    private static byte[] cutOff(final ByteBuffer bytes, final Random random) {
        final int lengthBytes = random.nextInt(4) == 0 ? random.nextInt(bytes.position() + 1) : bytes.position();
        final byte[] sent = new byte[lengthBytes];
        bytes.flip().get(sent);
        return sent;
    }

    private static int anyInt(final Random random, final int sound) {
        return switch (random.nextInt(4)) {
            case 0 -> -1;
            case 1 -> Integer.MAX_VALUE;
            case 2 -> sound + random.nextInt(-3, 4);
            default -> random.nextInt();
        };
    }

    private static long anyLong(final Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> -random.nextInt(1_000_000);
            case 1 -> Long.MAX_VALUE - random.nextInt(100_000);
            case 2 -> LENGTH_BYTES + random.nextInt(-100_000, 100_000);
            default -> random.nextLong();
        };
    }

    private void assertServesOn(final byte[] content) throws IOException {
        Await.until("all connections end", () -> server.connectionCount() == 0);
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            assertArrayEquals(content, client.read(0, LENGTH_BYTES, true));
        }
        assertEquals(LENGTH_BYTES, Files.size(path));
    }
}
