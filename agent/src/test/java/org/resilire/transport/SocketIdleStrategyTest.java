package org.resilire.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each of these would hang, or take an hour for a wait of that length, if a wake-up were lost. */
@Timeout(120)
class SocketIdleStrategyTest {

    private static final long HOUR_NANOS = 3_600_000_000_000L;
    private static final int ROUNDS = 20_000;
    private static final int SPINS = 1_000;

    private final SocketIdleStrategy idle = new SocketIdleStrategy();

    @AfterEach
    void close() {
        idle.close();
    }

    private void passShortWaits() {
        for (int i = 0; i < 10; i++) {
            idle.idle();
        }
    }

    @Test
    void shouldWakeForADatagram() throws IOException, InterruptedException {
        try (DatagramChannel receiver = DatagramChannel.open();
                DatagramChannel sender = DatagramChannel.open()) {
            receiver.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            receiver.configureBlocking(false);
            idle.watch(receiver);
            passShortWaits();
            idle.limit(HOUR_NANOS);
            final Thread waiter = Thread.ofPlatform().daemon().start(idle::idle);
            sender.send(ByteBuffer.wrap(new byte[] {1}), receiver.getLocalAddress());
            waiter.join();
        }
    }

    /** Short waits after work would hide a lost wake-up; without work the thread would be woken whether it was awake or not. */
    @Test
    void shouldLoseNoWakeUp() throws InterruptedException {
        try (SocketIdleStrategy patient = new SocketIdleStrategy(0)) {
            patient.limit(HOUR_NANOS);
            final AtomicInteger offered = new AtomicInteger();
            final AtomicInteger taken = new AtomicInteger();
            final Thread taker = Thread.ofPlatform().daemon().start(() -> {
                while (taken.get() < ROUNDS) {
                    final int work = offered.get() - taken.get();
                    taken.addAndGet(work);
                    patient.idle(work);
                }
            });
            for (int i = 1; i <= ROUNDS; i++) {
                for (int spins = 1; taken.get() < i - 1; spins++) {
                    assertFalse(Thread.interrupted(), "a wake-up was lost");
                    if (spins % SPINS == 0) {
                        // The other thread may have this one's processor alone.
                        LockSupport.parkNanos(1);
                    }
                    Thread.onSpinWait();
                }
                offered.lazySet(i);
                patient.wake();
            }
            taker.join();
            assertEquals(ROUNDS, taken.get());
        }
    }

    @Test
    void shouldWaitNoLongerThanItsLimit() {
        idle.limit(2_000_000);
        final long startNanos = System.nanoTime();
        for (int i = 0; i < 50; i++) {
            idle.idle(0);
        }
        assertTrue(System.nanoTime() - startNanos < 5_000_000_000L);
    }
}
