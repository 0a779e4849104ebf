package org.resilire.role;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.synthetic.SteppedClock;

@Timeout(60)
class OrderlyEndTest {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final long STEP_NANOS = TimeUnit.SECONDS.toNanos(6);

    private final SteppedClock clock = new SteppedClock();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger asked = new AtomicInteger();

    @Test
    void shouldNotLeaveDisksHalfWrittenOutHoweverLongThatTakes() throws InterruptedException {
        final OrderlyEnd end = new OrderlyEnd(
                ended,
                () -> {
                    clock.pass(STEP_NANOS);
                    if (asked.incrementAndGet() == 10) {
                        ended.countDown();
                    }
                    return true;
                },
                clock);
        assertTrue(end.await(LIMIT));
        assertEquals(10, asked.get());
    }

    @Test
    void shouldGiveUpOnAnAgentThatHangsWithItsDisksWrittenOut() throws InterruptedException {
        final OrderlyEnd end = new OrderlyEnd(
                ended,
                () -> {
                    clock.pass(STEP_NANOS);
                    return asked.incrementAndGet() <= 5;
                },
                clock);
        assertFalse(end.await(LIMIT));
        assertEquals(7, asked.get());
    }
}
