package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.synthetic.Await;

@Timeout(60)
class OutputSignalTest {

    private final OutputSignal signal = new OutputSignal();

    /** A thread that does this, then waits for as good as ever, until it is woken. */
    private Thread waiting(final Consumer<OutputSignal> prepare) throws InterruptedException {
        final CountDownLatch ready = new CountDownLatch(1);
        final Thread thread = Thread.ofPlatform().start(() -> {
            signal.attach();
            prepare.accept(signal);
            ready.countDown();
            LockSupport.parkNanos(TimeUnit.HOURS.toNanos(1));
        });
        ready.await();
        return thread;
    }

    @Test
    void shouldWakeWhoHeedsOutputEvenIfItWasToldBeforeTheWait() throws InterruptedException {
        final Thread checkpoints = waiting(s -> s.heedOutput(true));
        signal.onFirstOutputHeld(7);
        Await.until("it is woken", () -> !checkpoints.isAlive());
        assertEquals(7, signal.heldEpoch());
    }

    @Test
    void shouldWakeWhoAwaitsProgress() throws InterruptedException {
        final Thread checkpoints = waiting(s -> s.awaitProgress(true));
        signal.progressed();
        Await.until("it is woken", () -> !checkpoints.isAlive());
    }

    @Test
    void shouldTellOfOutputEvenIfNobodyIsToBeWokenForIt() {
        signal.onFirstOutputHeld(3);
        assertEquals(3, signal.heldEpoch());
        signal.progressed();
    }
}
