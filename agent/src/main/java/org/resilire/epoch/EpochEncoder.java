package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.resilire.codec.PageEncoder;
import org.resilire.epoch.CaptureChunk.Content;
import org.resilire.wire.sbe.EpochKind;

/**
 * The stage between capture and sender: turns captured records into those that travel, while the guest runs. One duty cycle fills
 * at most one batch, so that a thread it shares with the link stays responsive. Runs on one thread; {@link #discard}, {@link #resume}
 * and the questions belong to others. Allocates nothing.
 */
public final class EpochEncoder implements Agent {

    /** Hears of epochs, on the encoder's thread. */
    public interface Listener {
        /** Another epoch was encoded, in so much time of this stage. */
        void onEpochEncoded(EpochKind kind, long encodeNanos);
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
    private final PageEncoder pages;
    private final PageEncoder deviceState;
    private final Listener listener;
    private final NanoClock clock;

    private volatile Phase wanted = Phase.ENCODING;
    private volatile Phase phase = Phase.ENCODING;
    private volatile String failure;

    private CaptureChunk in;
    private int inOffset;
    private CaptureChunk out;
    private boolean batchOpen;
    private long encodeNanos;

    EpochEncoder(
            final CapturePipe captured,
            final CapturePipe encoded,
            final PageEncoder pages,
            final PageEncoder deviceState,
            final Listener listener,
            final NanoClock clock) {
        this.captured = captured;
        this.encoded = encoded;
        this.pages = pages;
        this.deviceState = deviceState;
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
        final long startNanos = clock.nanoTime();
        try {
            encodeSome();
        } catch (final RuntimeException e) {
            // What was sent is not known any more: this session cannot go on.
            failure = "encoding failed: " + e;
            wanted = Phase.DISCARDING;
        }
        encodeNanos += clock.nanoTime() - startNanos;
        return 1;
    }

    private boolean claimOut() {
        if (out == null) {
            out = encoded.tryClaim();
        }
        return out != null;
    }

    private void encodeSome() {
        final Content content = in.content();
        if (batchOpen && out.content() != content) {
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

    private void encodeRecords(final PageEncoder encoder) {
        if (!batchOpen) {
            out.start(in.content(), in.epoch(), in.kind(), 0);
            batchOpen = true;
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
        publishBatch();
        if (inOffset == in.payloadBytes()) {
            recycleIn();
        }
    }

    private void endEpoch() {
        out.startEnd(in.epoch(), in.kind(), in.position(), in.deviceStateChecksum());
        publishBatch();
        listener.onEpochEncoded(in.kind(), encodeNanos);
        encodeNanos = 0;
        recycleIn();
    }

    private void publishBatch() {
        if (batchOpen && out.recordCount() == 0) {
            batchOpen = false;
            return;
        }
        final CaptureChunk full = out;
        out = null;
        batchOpen = false;
        encoded.publish(full);
    }

    private void recycleIn() {
        final CaptureChunk done = in;
        in = null;
        captured.recycle(done);
    }

    /** The open batch is not published: its chunk is kept for the next. */
    private void dropPartialEpoch() {
        batchOpen = false;
        encodeNanos = 0;
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
