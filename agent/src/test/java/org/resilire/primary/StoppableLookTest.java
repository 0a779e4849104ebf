package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StoppableLookTest {

    private final CountDownLatch answered = new CountDownLatch(1);

    @Test
    void shouldNotWaitForAnAnswerThatIsNotWantedAnyMore() {
        final AtomicInteger rounds = new AtomicInteger();
        try (StoppableLook look =
                new StoppableLook(this::awaitAnswer, () -> rounds.get() == 3, rounds::incrementAndGet)) {
            assertFalse(look.ask());
            assertEquals(3, rounds.get());
        } finally {
            answered.countDown();
        }
    }

    @Test
    void shouldAnswerOnceThereIsAnAnswer() {
        final AtomicInteger rounds = new AtomicInteger();
        try (StoppableLook look = new StoppableLook(this::awaitAnswer, () -> false, () -> {
            if (rounds.incrementAndGet() == 3) {
                answered.countDown();
            }
            passALittle();
        })) {
            assertTrue(look.ask());
            assertTrue(look.ask(), "again");
        }
        assertTrue(rounds.get() >= 3);
    }

    @Test
    void shouldThrowWhatLookingThrew() {
        try (StoppableLook look = new StoppableLook(
                () -> {
                    throw new IllegalStateException("as the test wants it");
                },
                () -> false,
                StoppableLookTest::passALittle)) {
            final IllegalStateException thrown = assertThrows(IllegalStateException.class, look::ask);
            assertEquals("as the test wants it", thrown.getMessage());
        }
    }

    private static void passALittle() {
        LockSupport.parkNanos(100_000);
    }

    private boolean awaitAnswer() {
        try {
            answered.await();
            return true;
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
