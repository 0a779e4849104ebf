package org.resilire.epoch;

import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.resilire.linux.AnonymousMemory;

/**
 * A bounded, lock-free way for chunks from one stage to the next and back: from capture to encoder, and from there to the sender.
 * When the taking side is slower the filling side waits (and the epoch gets longer): nothing is dropped and nothing grows.
 *
 * <p>{@link #claim}, {@link #tryClaim}, {@link #publish}, {@link #hold} and {@link #isIdle} belong to the filling thread, {@link #poll} and
 * {@link #recycle} to the taking one; {@link #abort} to any.
 */
public final class CapturePipe implements AutoCloseable {

    private final AnonymousMemory memory;
    private final OneToOneConcurrentArrayQueue<CaptureChunk> free;
    private final OneToOneConcurrentArrayQueue<CaptureChunk> filled;
    private final IdleStrategy idle;
    private final int chunkCount;
    private volatile boolean aborted;
    private volatile boolean held;
    private long waitedNanos;
    private Runnable wakeTaker = () -> {};

    /** @param idle how the filling thread waits for a free chunk */
    public CapturePipe(final int chunkCount, final int chunkBytes, final IdleStrategy idle) {
        this.memory = AnonymousMemory.reserve("chunks of an epoch", (long) chunkCount * chunkBytes);
        this.free = new OneToOneConcurrentArrayQueue<>(chunkCount);
        this.filled = new OneToOneConcurrentArrayQueue<>(chunkCount);
        this.idle = idle;
        this.chunkCount = chunkCount;
        for (int i = 0; i < chunkCount; i++) {
            free.offer(new CaptureChunk(memory.segment().asSlice((long) i * chunkBytes, chunkBytes)));
        }
    }

    /** What to call whenever there is something to take; before the pipe is used. */
    public void onFilled(final Runnable wake) {
        wakeTaker = wake;
    }

    /**
     * A free chunk, waited for if there is none.
     *
     * @throws CaptureAbortedException if nobody takes chunks any more
     */
    CaptureChunk claim() {
        CaptureChunk chunk = aborted ? null : free.poll();
        if (chunk == null) {
            chunk = awaitFree();
        }
        return chunk;
    }

    private CaptureChunk awaitFree() {
        final long startNanos = System.nanoTime();
        // Otherwise nobody would ever give a chunk back.
        release();
        idle.reset();
        while (true) {
            if (aborted) {
                throw new CaptureAbortedException();
            }
            final CaptureChunk chunk = free.poll();
            if (chunk != null) {
                waitedNanos += System.nanoTime() - startNanos;
                return chunk;
            }
            idle.idle();
        }
    }

    /** A free chunk, or null if there is none now. */
    CaptureChunk tryClaim() {
        return free.poll();
    }

    /**
     * True if the taking side is done with all that was published. What it did before it gave the last chunk back is seen by the
     * thread that asks.
     */
    public boolean isIdle() {
        return free.size() == chunkCount;
    }

    void publish(final CaptureChunk chunk) {
        // Cannot be full: there are as many places as chunks.
        filled.offer(chunk);
        if (!held) {
            wakeTaker.run();
        }
    }

    /** The next filled chunk, or null; also while chunks are held back. */
    public CaptureChunk poll() {
        return held ? null : filled.poll();
    }

    /**
     * Holds chunks back from here on, so that the taking side does not compete for the CPU with what must be quick; until
     * {@link #release}, or until there is no free chunk left. Filling thread.
     */
    public void hold() {
        held = true;
    }

    /** Lets chunks pass again. Filling thread. */
    public void release() {
        held = false;
        wakeTaker.run();
    }

    /** Gives a chunk back once its content has left. */
    public void recycle(final CaptureChunk chunk) {
        free.offer(chunk);
    }

    /** Makes a filling thread that waits, or comes to wait, give up. */
    public void abort() {
        held = false;
        aborted = true;
    }

    /** Makes the pipe usable again; the taking thread must have recycled all it took. */
    public void rearm() {
        aborted = false;
    }

    /** Time the filling thread spent waiting for a free chunk, in all. Read by that thread. */
    public long waitedNanos() {
        return waitedNanos;
    }

    @Override
    public void close() {
        memory.close();
    }
}
