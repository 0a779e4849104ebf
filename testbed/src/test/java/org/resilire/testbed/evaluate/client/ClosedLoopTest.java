package org.resilire.testbed.evaluate.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.resilire.testbed.evaluate.client.LoadSpec.Pace;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;
import org.resilire.testbed.lab.Await;

class ClosedLoopTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long THINK_MICROS = 1_000;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;

    private final AtomicInteger status = new AtomicInteger(OK);
    private final AtomicInteger delayMillis = new AtomicInteger();
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(delayMillis.get()));
            requests.incrementAndGet();
            exchange.sendResponseHeaders(status.get(), 2);
            exchange.getResponseBody().write(new byte[2]);
            exchange.close();
        });
        server.setExecutor(executor);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        executor.shutdownNow();
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
    void shouldSendSteadilyHoweverLateTheAnswersAre() throws IOException {
        delayMillis.set(20);
        try (ClosedLoop load = load(new LoadSpec(Protocol.HTTP_WORK, port(), 1, 30_000, Pace.STEADY))) {
            awaitRequests(12);
            final List<TimedRequest> sent = load.lastRequests();
            long shortestNanos = Long.MAX_VALUE;
            for (int i = 1; i < sent.size(); i++) {
                shortestNanos = Math.min(
                        shortestNanos, sent.get(i).sentNs() - sent.get(i - 1).sentNs());
            }
            // 50 ms at least, if it thought after each answer.
            assertTrue(shortestNanos < 45_000_000, sent::toString);
        }
    }

    @Test
    void shouldSpreadRequestsAtRandomAroundTheirMean() throws IOException {
        try (ClosedLoop load = load(new LoadSpec(Protocol.HTTP_WORK, port(), 1, 40_000, Pace.RANDOM))) {
            awaitRequests(60);
            final List<TimedRequest> sent = load.lastRequests();
            long shorter = 0;
            for (int i = 1; i < sent.size(); i++) {
                final TimedRequest before = sent.get(i - 1);
                shorter += sent.get(i).sentNs() - before.sentNs() - before.latencyNanos() < 20_000_000 ? 1 : 0;
            }
            // 39 % of an exponential distribution lie below half its mean; none would, if each pause were the mean.
            assertTrue(shorter > sent.size() / 8 && shorter < sent.size() * 3 / 4, shorter + " of " + sent.size());
        }
    }

    @Test
    void shouldCountAnswersThatBelongToAnotherRequest() throws IOException {
        // This server says two zero bytes to everybody.
        try (ClosedLoop load = load(new LoadSpec(Protocol.HTTP_WORK, port(), 2, THINK_MICROS))) {
            awaitRequests(20);
            final LoadSample sample = load.sample();
            // One may have come between looking at the one and the other.
            assertTrue(sample.wrongAnswers() >= sample.operations(), sample::toString);
            assertEquals(0, sample.duplicatedAnswers(), sample::toString);
        }
    }

    @Test
    void shouldCountWhatNobodyWaitedForAndWhatNeverCame() throws IOException {
        final byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ClosedLoop load = new ClosedLoop(
                                listener.getInetAddress().getHostAddress(),
                                new LoadSpec(Protocol.HTTP_SMALL, listener.getLocalPort(), 1, THINK_MICROS))
                        .start()) {
            try (Socket connection = listener.accept()) {
                readRequest(connection.getInputStream());
                // The same answer twice, in one piece.
                final byte[] twice = Arrays.copyOf(answer, 2 * answer.length);
                System.arraycopy(answer, 0, twice, answer.length, answer.length);
                connection.getOutputStream().write(twice);
                readRequest(connection.getInputStream());
            }
            // The second request stays without an answer, and the client comes again.
            try (Socket again = listener.accept()) {
                readRequest(again.getInputStream());
                final LoadSample sample = load.sample();
                assertEquals(1, sample.operations(), sample::toString);
                assertEquals(1, sample.duplicatedAnswers(), sample::toString);
                assertEquals(1, sample.lostAnswers(), sample::toString);
            }
        }
    }

    private static void readRequest(final InputStream in) throws IOException {
        final StringBuilder request = new StringBuilder();
        while (request.indexOf("\r\n\r\n") < 0) {
            final int next = in.read();
            assertTrue(next >= 0, request::toString);
            request.append((char) next);
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
        return load(new LoadSpec(Protocol.HTTP_SESSIONS, port(), 2, THINK_MICROS));
    }

    private ClosedLoop load(final LoadSpec spec) throws IOException {
        return new ClosedLoop(server.getAddress().getAddress().getHostAddress(), spec).start();
    }

    private int port() {
        return server.getAddress().getPort();
    }

    private void awaitRequests(final int count) {
        Await.until(() -> requests.get() >= count, LIMIT, () -> "only " + requests.get() + " requests came");
    }
}
