package org.resilire.guest.guard;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Goes through a whole resumption once against a QEMU that is none, so that classes are loaded, downcalls linked and code
 * compiled before a guest waits for them. Replies are as QEMU 7.2 gives them.
 */
final class WarmUp {

    private static final int ROUNDS = 20;
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final String GREETING =
            "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"
                    + " \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n";
    private static final String[] REPLIES = {
        "{\"return\": {}}\r\n",
        "{\"return\": {\"status\": \"paused\", \"singlestep\": false, \"running\": false}}\r\n",
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RESUME\"}\r\n{\"return\": {}}\r\n"
    };

    private WarmUp() {}

    /** Takes about a tenth of a second. */
    static void run() throws IOException {
        final Path directory = Files.createTempDirectory("resilire-guard");
        final Path socket = directory.resolve("qmp");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Thread.ofPlatform().daemon().name("warm-up").start(() -> serve(server));
            for (int i = 0; i < ROUNDS; i++) {
                new Resumption(socket).run(System.nanoTime() + LIMIT_NANOS);
            }
        } finally {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(directory);
        }
    }

    private static void serve(final ServerSocketChannel server) {
        for (int i = 0; i < ROUNDS; i++) {
            try (SocketChannel client = server.accept()) {
                answer(client);
            } catch (final IOException e) {
                // The warm-up is over, or will end at its time limit: it is no reason not to guard.
                return;
            }
        }
    }

    private static void answer(final SocketChannel client) throws IOException {
        final ByteBuffer request = ByteBuffer.allocate(4096);
        client.write(ByteBuffer.wrap(GREETING.getBytes(UTF_8)));
        for (final String reply : REPLIES) {
            request.clear();
            if (client.read(request) < 0) {
                return;
            }
            client.write(ByteBuffer.wrap(reply.getBytes(UTF_8)));
        }
    }
}
