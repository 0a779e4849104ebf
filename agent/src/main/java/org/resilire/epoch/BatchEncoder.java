package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.resilire.codec.BatchCoding;
import org.resilire.codec.BatchCompression;
import org.resilire.codec.BatchCompressor;
import org.resilire.codec.CompressionChoice;
import org.resilire.codec.PageEncoder;

/** Encodes records of one memory, batch by batch: first each record, then perhaps the batch. Used by the encoder's thread only. */
final class BatchEncoder {

    private final PageEncoder records;
    private final CompressionChoice choice;
    private final BatchCompressor compressor;

    private BatchCoding coding;
    private int capturedBytes;
    private long encodeNanos;

    /** @param compressor may be shared by encoders of one thread */
    BatchEncoder(final PageEncoder records, final CompressionChoice choice, final BatchCompressor compressor) {
        this.records = records;
        this.choice = choice;
        this.compressor = compressor;
    }

    /** Starts a batch for records of which so many bytes are there by now. */
    void begin(final int availableBytes) {
        coding = choice.next(availableBytes);
        records.coding(coding);
        capturedBytes = 0;
        encodeNanos = 0;
    }

    /** Encodes one record; {@link PageEncoder#ROOM_BYTES} must be free. Returns its length. */
    int encode(final MemorySegment captured, final long offset, final MemorySegment out, final long outOffset) {
        capturedBytes += PageEncoder.capturedBytes(captured, offset);
        return records.encode(captured, offset, out, outOffset);
    }

    /** Notes time spent on the batch. */
    void spent(final long nanos) {
        encodeNanos += nanos;
    }

    /** Compresses a batch where it stands, if that was the choice and makes it shorter. */
    void compress(final CaptureChunk batch) {
        if (coding.compression() == BatchCompression.NONE) {
            return;
        }
        final MemorySegment memory = batch.memory();
        final int room = CaptureChunk.HEADER_ROOM_BYTES;
        final int lengthBytes =
                compressor.compress(coding.compression(), memory, room, batch.payloadBytes(), memory, room);
        if (lengthBytes != BatchCompressor.NOT_SHORTER) {
            batch.compressed(WireCompression.of(compressor.applied()), lengthBytes);
        }
    }

    /** The batch is ready: what it came to is what the next choice goes by. */
    void end(final CaptureChunk batch) {
        choice.onEncoded(coding, capturedBytes, batch.payloadBytes(), encodeNanos);
    }

    /** What the link gave; see {@link CompressionChoice#onLink}. */
    void onLink(final long bytes, final long nanos, final boolean saturated) {
        choice.onLink(bytes, nanos, saturated);
    }
}
