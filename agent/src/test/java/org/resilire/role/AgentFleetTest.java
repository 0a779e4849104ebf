package org.resilire.role;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.SteppedClock;

@Timeout(60)
class AgentFleetTest {

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** Runs until it is stopped, then ends with an exit code. */
    private static final class Patient implements AgentFleet.Member {

        private final CountDownLatch stopped = new CountDownLatch(1);
        private final int exitCode;
        volatile String group;

        Patient(final int exitCode) {
            this.exitCode = exitCode;
        }

        @Override
        public int run() {
            group = Thread.currentThread().getThreadGroup().getName();
            try {
                stopped.await();
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return exitCode;
        }

        @Override
        public void stop(final Duration limit) {
            stopped.countDown();
        }
    }

    private static CompletableFuture<Integer> start(final AgentFleet fleet) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return fleet.run();
            } catch (final InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static AgentFleet fleet(final Map<String, Supplier<AgentFleet.Member>> agents) {
        return new AgentFleet(agents, RETRY_NANOS, SystemNanoClock.INSTANCE);
    }

    @Test
    void shouldRunAllInGroupsOfTheirOwnUntilToldToEndAndReturnTheHighestExitCode() throws InterruptedException {
        final Patient db = new Patient(0);
        final Patient web = new Patient(6);
        final AgentFleet fleet = fleet(Map.of("db", () -> db, "web", () -> web));
        final CompletableFuture<Integer> end = start(fleet);
        Await.until("both run", () -> db.group != null && web.group != null);
        assertEquals("guest db", db.group);
        assertEquals("guest web", web.group);
        fleet.stop(Duration.ofSeconds(30));
        assertEquals(6, end.join());
    }

    @Test
    void shouldStartAnAgentThatFailedAgainAndLeaveTheOthersAlone() throws InterruptedException {
        final Patient db = new Patient(0);
        final Patient recovered = new Patient(0);
        final AtomicInteger attempts = new AtomicInteger();
        final AtomicInteger others = new AtomicInteger();
        final AgentFleet fleet = fleet(Map.of(
                "db",
                () -> {
                    others.incrementAndGet();
                    return db;
                },
                "web",
                () -> attempts.incrementAndGet() < 3 ? failing() : recovered));
        final CompletableFuture<Integer> end = start(fleet);
        Await.until("the third attempt runs", () -> recovered.group != null);
        assertEquals(3, attempts.get());
        assertEquals(1, others.get());
        assertFalse(end.isDone());
        fleet.stop(Duration.ofSeconds(30));
        assertEquals(0, end.join());
    }

    /** The configuration it is made from may have become wrong meanwhile, and may be mended. */
    @Test
    void shouldTryAgainWhatCouldNotBeMade() throws InterruptedException {
        final Patient recovered = new Patient(0);
        final AtomicInteger attempts = new AtomicInteger();
        final AgentFleet fleet = fleet(Map.of("db", () -> switch (attempts.incrementAndGet()) {
            case 1 -> failing();
            case 2 -> throw new IllegalArgumentException("as the test wants it");
            default -> recovered;
        }));
        final CompletableFuture<Integer> end = start(fleet);
        Await.until("the third attempt runs", () -> recovered.group != null);
        fleet.stop(Duration.ofSeconds(30));
        assertEquals(0, end.join());
    }

    @Test
    void shouldStartAgainSoonWhatRanWellForLong() throws InterruptedException {
        final int failures = 15;
        final SteppedClock clock = new SteppedClock();
        final Patient recovered = new Patient(0);
        final AtomicInteger attempts = new AtomicInteger();
        // Twice as late each time, up to 64 times as late, the last attempt would be after 32 s.
        final AgentFleet fleet = new AgentFleet(
                Map.<String, Supplier<AgentFleet.Member>>of("db", () -> {
                    clock.pass(TimeUnit.HOURS.toNanos(1));
                    return attempts.incrementAndGet() <= failures ? failing() : recovered;
                }),
                TimeUnit.MILLISECONDS.toNanos(50),
                clock);
        final CompletableFuture<Integer> end = start(fleet);
        Await.until("the last attempt runs", () -> recovered.group != null);
        fleet.stop(Duration.ofSeconds(30));
        assertEquals(0, end.join());
    }

    @Test
    void shouldNotStartAgainWhatEndedNorAnythingOnceToldToEnd() throws InterruptedException {
        final AtomicInteger ended = new AtomicInteger();
        final AtomicInteger failed = new AtomicInteger();
        final AgentFleet fleet = new AgentFleet(
                Map.<String, Supplier<AgentFleet.Member>>of(
                        "ends",
                        () -> {
                            ended.incrementAndGet();
                            final Patient patient = new Patient(1);
                            patient.stop(Duration.ZERO);
                            return patient;
                        },
                        "fails",
                        () -> {
                            failed.incrementAndGet();
                            return failing();
                        }),
                TimeUnit.HOURS.toNanos(1),
                SystemNanoClock.INSTANCE);
        final CompletableFuture<Integer> end = start(fleet);
        Await.until("both had their turn", () -> ended.get() == 1 && failed.get() == 1);
        fleet.stop(Duration.ofSeconds(30));
        assertEquals(1, end.join());
        assertTrue(ended.get() == 1 && failed.get() == 1);
    }

    private static AgentFleet.Member failing() {
        return new AgentFleet.Member() {
            @Override
            public int run() {
                throw new IllegalStateException("as the test wants it");
            }

            @Override
            public void stop(final Duration limit) {
                // It has ended by itself.
            }
        };
    }
}
