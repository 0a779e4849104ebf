package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.resilire.codec.PageEncoder;
import org.resilire.epoch.CaptureChunk.Content;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.EpochKind;

/**
 * The stage between capture and sender: turns captured records into those that travel, while the guest runs. One duty cycle fills
 * at most one batch, so that a thread it shares with the link stays responsive. Runs on one thread; {@link #discard}, {@link #resume}
 * and the questions belong to others. Allocates nothing.
 */
public final class EpochEncoder implements Agent {

    /** Hears of epochs, on the encoder's thread. */
    public interface Listener {
        /** Another epoch was encoded, in so much time of this stage and into so many messages with records. */
        void onEpochEncoded(EpochKind kind, long encodeNanos, int batches, int compressedBatches);

        /** Its last chunk was given back: whoever waits for that may be woken. */
        default void afterEncoded() {}
    }

    /** Records that travel in one message at most, before compression. */
    public static final int MAX_BATCH_BYTES = 64 << 10;

    private enum Phase {
        ENCODING,
        /** Whatever comes is dropped: there is no session to send it to. */
        DISCARDING
    }

    private final CapturePipe captured;
    private final CapturePipe encoded;
    private final LinkSample linkSample;
    private final Listener listener;
    private final NanoClock clock;

    /** Exchanged while nothing is under way: what is published to the pipe later makes it known to this stage's thread. */
    private BatchEncoder pages;

    private BatchEncoder deviceState;
    private volatile Phase wanted = Phase.ENCODING;
    private volatile Phase phase = Phase.ENCODING;
    private volatile String failure;

    private CaptureChunk in;
    private int inOffset;
    private CaptureChunk out;
    private BatchEncoder batch;
    private long sliceStartNanos;
    private long encodeNanos;
    private int batches;
    private int compressedBatches;

    EpochEncoder(
            final CapturePipe captured,
            final CapturePipe encoded,
            final BatchEncoder pages,
            final BatchEncoder deviceState,
            final LinkSample linkSample,
            final Listener listener,
            final NanoClock clock) {
        this.captured = captured;
        this.encoded = encoded;
        this.pages = pages;
        this.deviceState = deviceState;
        this.linkSample = linkSample;
        this.listener = listener;
        this.clock = clock;
    }

    /** Drops what comes from now on. Any thread. */
    void discard() {
        wanted = Phase.DISCARDING;
    }

    /** True once nothing of a session is encoded any more. Any thread. */
    boolean isDiscarding() {
        return phase == Phase.DISCARDING;
    }

    /** Encodes again; a failure is forgotten. {@link #isDiscarding()} tells when: what is published before would be dropped. */
    void resume() {
        failure = null;
        wanted = Phase.ENCODING;
    }

    /** Encodes by these from the next epoch on. The thread that captures, while nothing is. */
    void adopt(final BatchEncoder newPages, final BatchEncoder newDeviceState) {
        pages = newPages;
        deviceState = newDeviceState;
    }

    /** Why this stage gave up, or null. Any thread. */
    String failure() {
        return failure;
    }

    @Override
    public int doWork() {
        final Phase wish = wanted;
        if (wish != phase) {
            dropPartialEpoch();
            phase = wish;
        }
        if (wish == Phase.DISCARDING) {
            return discardAll();
        }
        if (in == null) {
            in = captured.poll();
            inOffset = 0;
        }
        if (in == null || !claimOut()) {
            return 0;
        }
        if (linkSample.read()) {
            pages.onLink(linkSample.bytes(), linkSample.nanos(), linkSample.saturated());
        }
        sliceStartNanos = clock.nanoTime();
        try {
            encodeSome();
        } catch (final RuntimeException e) {
            // What was sent is not known any more: this session cannot go on.
            failure = "encoding failed: " + e;
            wanted = Phase.DISCARDING;
        }
        account();
        return 1;
    }

    /** Books the time since this was called last. */
    private void account() {
        final long nowNanos = clock.nanoTime();
        final long nanos = nowNanos - sliceStartNanos;
        sliceStartNanos = nowNanos;
        encodeNanos += nanos;
        if (batch != null) {
            batch.spent(nanos);
        }
    }

    private boolean claimOut() {
        if (out == null) {
            out = encoded.tryClaim();
        }
        return out != null;
    }

    private void encodeSome() {
        final Content content = in.content();
        if (batch != null && out.content() != content) {
            publishBatch();
            return;
        }
        switch (content) {
            case PAGES -> encodeRecords(pages);
            case DEVICE_STATE -> encodeRecords(deviceState);
            case PAGE_HASHES -> passHashes();
            case EPOCH_END -> endEpoch();
        }
    }

    private void encodeRecords(final BatchEncoder encoder) {
        if (batch == null) {
            out.start(in.content(), in.epoch(), in.kind(), 0);
            encoder.begin(in.payloadBytes() - inOffset);
            batch = encoder;
        }
        final MemorySegment from = in.memory();
        final int end = in.payloadBytes();
        while (inOffset < end) {
            if (out.payloadBytes() + PageEncoder.ROOM_BYTES > MAX_BATCH_BYTES) {
                publishBatch();
                return;
            }
            final long at = CaptureChunk.HEADER_ROOM_BYTES + (long) inOffset;
            out.append(encoder.encode(from, at, out.memory(), out.writeOffset()), 1);
            inOffset += PageEncoder.capturedBytes(from, at);
        }
        recycleIn();
    }

    /** Hashes are for the backup to compare with and have nothing to gain here: they only move. */
    private void passHashes() {
        out.start(in.content(), in.epoch(), in.kind(), in.position() + inOffset / Long.BYTES);
        final int part = Math.min(in.payloadBytes() - inOffset, MAX_BATCH_BYTES);
        MemorySegment.copy(
                in.memory(), CaptureChunk.HEADER_ROOM_BYTES + (long) inOffset, out.memory(), out.writeOffset(), part);
        out.append(part, part / Long.BYTES);
        inOffset += part;
        publish();
        if (inOffset == in.payloadBytes()) {
            recycleIn();
        }
    }

    private void endEpoch() {
        out.startEnd(in.epoch(), in.kind(), in.position(), in.deviceStateChecksum());
        publish();
        account();
        listener.onEpochEncoded(in.kind(), encodeNanos, batches, compressedBatches);
        startCounting();
        recycleIn();
        // In this order: whoever is woken by it sees that all is encoded.
        listener.afterEncoded();
    }

    private void startCounting() {
        encodeNanos = 0;
        batches = 0;
        compressedBatches = 0;
    }

    private void publishBatch() {
        if (out.recordCount() == 0) {
            batch = null;
            return;
        }
        batch.compress(out);
        account();
        batch.end(out);
        batch = null;
        batches++;
        compressedBatches += out.compression() == Compression.NONE ? 0 : 1;
        publish();
    }

    private void publish() {
        final CaptureChunk full = out;
        out = null;
        encoded.publish(full);
    }

    private void recycleIn() {
        final CaptureChunk done = in;
        in = null;
        captured.recycle(done);
    }

    /** The open batch is not published: its chunk is kept for the next. */
    private void dropPartialEpoch() {
        batch = null;
        startCounting();
        if (in != null) {
            recycleIn();
        }
    }

    private int discardAll() {
        int discarded = 0;
        for (CaptureChunk chunk = captured.poll(); chunk != null; chunk = captured.poll()) {
            captured.recycle(chunk);
            discarded++;
        }
        return discarded;
    }

    @Override
    public String roleName() {
        return "encoder";
    }
}
