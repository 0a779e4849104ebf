package org.resilire.benchmarks.capture;

import java.util.concurrent.locks.LockSupport;
import org.resilire.epoch.CaptureChunk;
import org.resilire.epoch.CapturePipe;

/** Stands for the link: takes chunks from a pipe on a thread of its own and gives them back at once. */
public final class Drain implements AutoCloseable {

    private static final long IDLE_NANOS = 20_000;

    private final CapturePipe pipe;
    private final Thread thread;
    private volatile boolean ended;

    /** Starts to take chunks. */
    public Drain(final CapturePipe pipe) {
        this.pipe = pipe;
        thread = Thread.ofPlatform().daemon().name("drain").start(this::run);
    }

    private void run() {
        while (!ended) {
            final CaptureChunk chunk = pipe.poll();
            if (chunk == null) {
                LockSupport.parkNanos(IDLE_NANOS);
            } else {
                pipe.recycle(chunk);
            }
        }
    }

    @Override
    public void close() {
        ended = true;
        try {
            thread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
