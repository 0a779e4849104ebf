package org.resilire.testbed.evaluate.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;
import org.resilire.testbed.lab.Await;

class ClosedLoopTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long THINK_MICROS = 1_000;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;

    private final AtomicInteger status = new AtomicInteger(OK);
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(status.get(), 2);
            exchange.getResponseBody().write(new byte[2]);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void shouldCountWhatWasAnsweredSinceTheLastSample() throws IOException {
        try (ClosedLoop load = load()) {
            awaitRequests(20);
            // All were answered but those under way, one a connection.
            final LoadSample sample = load.sample();
            assertTrue(sample.operations() >= 18, sample::toString);
            assertEquals(0, sample.brokenConnections(), sample::toString);
            assertTrue(sample.latencyMillisP50() > 0, sample::toString);
        }
    }

    @Test
    void shouldSayThatItWasAnsweredWronglyInsteadOfFallingSilent() throws IOException {
        try (ClosedLoop load = load()) {
            awaitRequests(4);
            status.set(NOT_FOUND);
            final IOException[] wrong = new IOException[1];
            Await.until(() -> isRefused(load, wrong), LIMIT, () -> "samples are still taken");
            assertTrue(wrong[0].getMessage().contains("404"), wrong[0]::getMessage);
            assertThrows(IOException.class, load::sample);
        }
    }

    private static boolean isRefused(final ClosedLoop load, final IOException[] wrong) {
        try {
            load.sample();
            return false;
        } catch (final IOException refused) {
            wrong[0] = refused;
            return true;
        }
    }

    private ClosedLoop load() throws IOException {
        final InetSocketAddress address = server.getAddress();
        return new ClosedLoop(
                        address.getAddress().getHostAddress(),
                        new LoadSpec(Protocol.HTTP_SESSIONS, address.getPort(), 2, THINK_MICROS))
                .start();
    }

    private void awaitRequests(final int count) {
        Await.until(() -> requests.get() >= count, LIMIT, () -> "only " + requests.get() + " requests came");
    }
}
