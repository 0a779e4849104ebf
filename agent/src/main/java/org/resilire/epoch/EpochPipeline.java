package org.resilire.epoch;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;

/**
 * The way of an epoch through the primary: capture → encoder → sender, with bounded pools of chunks between them.
 *
 * <pre>
 *   checkpoint thread           encoder's thread             link thread
 *   EpochWriter ──captured──►  EpochEncoder  ──encoded──►  sender
 * </pre>
 */
public final class EpochPipeline implements AutoCloseable {

    /** Chunks between encoder and sender: a batch, and what a compressor may make of one that does not compress. */
    private static final int ENCODED_CHUNK_BYTES = EpochEncoder.MAX_BATCH_BYTES + (4 << 10);

    private static final long RESTART_LIMIT_NANOS = 5_000_000_000L;
    private static final long POLL_NANOS = 50_000L;

    private final CapturePipe captured;
    private final CapturePipe encoded;
    private final LinkSample linkSample = new LinkSample();
    private final EpochEncoder encoder;
    private final NanoClock clock;

    /**
     * How much room there is.
     *
     * @param capturedChunks between capture and encoder; in all, what a pause can capture without waiting
     * @param encodedChunks between encoder and sender, of {@value EpochEncoder#MAX_BATCH_BYTES} bytes and a little
     */
    public record Size(int capturedChunks, int capturedChunkBytes, int encodedChunks) {}

    /** @param idle how the capturing thread waits for a free chunk */
    public EpochPipeline(
            final Size size,
            final IdleStrategy idle,
            final ModeParts mode,
            final EpochEncoder.Listener listener,
            final NanoClock clock) {
        this.clock = clock;
        captured = new CapturePipe(size.capturedChunks(), size.capturedChunkBytes(), idle);
        encoded = new CapturePipe(size.encodedChunks(), ENCODED_CHUNK_BYTES, idle);
        encoder = new EpochEncoder(
                captured, encoded, mode.pageBatches(clock), mode.deviceBatches(clock), linkSample, listener, clock);
    }

    /** Where epochs begin; for the checkpoint thread. */
    public CapturePipe captured() {
        return captured;
    }

    /** Where the sender takes from. */
    public CapturePipe encoded() {
        return encoded;
    }

    /** For the thread that encodes. */
    public EpochEncoder encoder() {
        return encoder;
    }

    /** The session is over: a capture gives up, what is under way is dropped. Any thread. */
    public void abort() {
        captured.abort();
        encoder.discard();
    }

    /**
     * Tells the encoder what the link gave for an epoch. Link thread.
     *
     * @param bytes what was sent
     * @param nanos from the first of them to the acknowledgement
     * @param saturated whether the link pushed back meanwhile
     */
    public void onLink(final long bytes, final long nanos, final boolean saturated) {
        linkSample.write(bytes, nanos, saturated);
    }

    /** Why the encoder gave up, and the session with it; or null. Any thread. */
    public String failure() {
        return encoder.failure();
    }

    /**
     * True if the encoder is through with all that was captured: only then what was sent may be compared with or reset. Checkpoint
     * thread.
     */
    public boolean isEncoded() {
        return captured.isIdle();
    }

    /**
     * Makes the pipeline ready for a session once nothing is left of the one before. Checkpoint thread; the sender must be
     * discarding.
     */
    public void restart() {
        abort();
        await(() -> encoder.isDiscarding() && captured.isIdle());
        encoder.resume();
        await(() -> !encoder.isDiscarding());
        captured.rearm();
    }

    /**
     * Encodes in another mode from the next epoch on; nothing of the one before is used any more. Checkpoint thread, between {@link
     * #restart} and the first capture.
     */
    public void adopt(final ModeParts mode) {
        if (!isEncoded()) {
            throw new IllegalStateException("another mode while something is still to be encoded");
        }
        encoder.adopt(mode.pageBatches(clock), mode.deviceBatches(clock));
    }

    private static void await(final BooleanSupplier condition) {
        final long startNanos = System.nanoTime();
        while (!condition.getAsBoolean()) {
            // Looked at again: this thread may have been the late one.
            if (System.nanoTime() - startNanos > RESTART_LIMIT_NANOS && !condition.getAsBoolean()) {
                throw new IllegalStateException("the encoder did not end the session in time");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public void close() {
        captured.close();
        encoded.close();
    }
}
