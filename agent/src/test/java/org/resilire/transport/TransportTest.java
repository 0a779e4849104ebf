package org.resilire.transport;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.synthetic.Await;

@Timeout(60)
class TransportTest {

    private static final int STREAM = 7;

    /** Longer than Aeron's client and driver wait before they look at each other. */
    private static final long LOOKS_NANOS = TimeUnit.MILLISECONDS.toNanos(2500);

    @TempDir
    Path directory;

    /** A host that stood still, was suspended, or whose clock was set. */
    @Test
    void shouldSurviveALeapOfTheWallClock() {
        final AtomicLong leapMillis = new AtomicLong();
        try (Transport transport = Transport.start(
                TransportConfig.defaults(),
                directory.resolve("aeron"),
                () -> System.currentTimeMillis() + leapMillis.get())) {
            final Subscription subscription = transport.listen(new Endpoint("127.0.0.1", 0), STREAM);
            final ExclusivePublication publication = transport.connect(transport.boundEndpoint(subscription), STREAM);
            assertPasses(transport, publication, subscription);
            for (final long days : new long[] {1, 1000, -2000}) {
                leapMillis.addAndGet(TimeUnit.DAYS.toMillis(days));
                final long startNanos = System.nanoTime();
                while (System.nanoTime() - startNanos < LOOKS_NANOS) {
                    transport.doWork();
                    Thread.onSpinWait();
                }
                assertFalse(publication.isClosed());
                assertFalse(subscription.isClosed());
                assertPasses(transport, publication, subscription);
            }
        }
    }

    private static void assertPasses(
            final Transport transport, final ExclusivePublication publication, final Subscription subscription) {
        final UnsafeBuffer message = new UnsafeBuffer(new byte[8]);
        Await.until("a message leaves", () -> publication.offer(message) > 0, transport::doWork);
        final int[] arrived = new int[1];
        Await.until(
                "a message arrives",
                () -> {
                    subscription.poll((buffer, offset, length, header) -> arrived[0]++, 1);
                    return arrived[0] > 0;
                },
                transport::doWork);
        assertTrue(arrived[0] > 0);
    }
}
