package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.QmpClient;

/** Pauses and resumes a guest at a steady pace without doing anything meanwhile: the part of a checkpoint's cost that is QEMU's. */
final class PacedPauses implements AutoCloseable {

    private final QmpClient qmp;
    private final Duration period;
    private final Thread thread = Thread.ofPlatform().name("paced-pauses").unstarted(this::run);
    private final AtomicLong count = new AtomicLong();
    private volatile boolean isEnding;
    private volatile RuntimeException failure;

    PacedPauses(final Subject subject, final Duration period) {
        qmp = subject.openQmp();
        this.period = period;
        thread.start();
    }

    private void run() {
        final byte[] stop = QmpClient.encode("stop", Map.of());
        final byte[] cont = QmpClient.encode("cont", Map.of());
        long nextNs = System.nanoTime();
        try {
            while (!isEnding) {
                qmp.execute(stop);
                qmp.execute(cont);
                count.incrementAndGet();
                nextNs += period.toNanos();
                LockSupport.parkNanos(nextNs - System.nanoTime());
            }
        } catch (final RuntimeException broken) {
            failure = broken;
        }
    }

    /**
     * How many there were.
     *
     * @throws TestbedException if there are no more, and why
     */
    long count() {
        if (failure != null) {
            throw new TestbedException("the guest is no longer paused and resumed: " + failure.getMessage(), failure);
        }
        return count.get();
    }

    @Override
    public void close() {
        isEnding = true;
        try {
            thread.join();
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        qmp.close();
        if (failure != null) {
            throw failure;
        }
    }
}
