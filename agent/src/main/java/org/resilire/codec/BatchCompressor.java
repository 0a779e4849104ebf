package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import org.resilire.linux.AnonymousMemory;

/**
 * Compresses whole batches: leaves their zero bytes out, compresses what is left with LZ4, or one of the two. Works in memory of its
 * own, because the library must have room for the worst case and the batch's message has not; the copies cost a few per cent of
 * the compression. Allocates nothing. Not thread-safe.
 */
public final class BatchCompressor implements AutoCloseable {

    /** Returned for a batch that would not get shorter. */
    public static final int NOT_SHORTER = -1;

    private final LZ4Compressor lz4 = Lz4.FACTORY.fastCompressor();
    private final AnonymousMemory inputMemory;
    private final AnonymousMemory outputMemory;
    private final ByteBuffer input;
    private final ByteBuffer output;
    private BatchCompression applied = BatchCompression.NONE;

    /** @param largestBatchBytes no batch will be longer */
    public BatchCompressor(final int largestBatchBytes) {
        final int inputBytes =
                ZeroByteSuppressor.largestSuppressedBytes(largestBatchBytes) + ZeroByteSuppressor.SLACK_BYTES;
        this.inputMemory = AnonymousMemory.reserve("a batch to compress", inputBytes);
        this.outputMemory = AnonymousMemory.reserve("a compressed batch", lz4.maxCompressedLength(inputBytes));
        this.input = inputMemory.segment().asByteBuffer();
        this.output = outputMemory.segment().asByteBuffer();
    }

    /**
     * Compresses a batch; {@link #applied()} then tells what of the wish was worth it.
     *
     * @param lengthBytes a multiple of 8 if zero bytes are to be left out
     * @param target receives the compressed batch, which is shorter than the batch; may be the source, at the same offset too.
     *     Left as it is if the batch would not get shorter
     * @return compressed length, or {@link #NOT_SHORTER}
     */
    public int compress(
            final BatchCompression wish,
            final MemorySegment source,
            final long sourceOffset,
            final int lengthBytes,
            final MemorySegment target,
            final long targetOffset) {
        int inputBytes = lengthBytes;
        if (wish.pack()) {
            inputBytes = ZeroByteSuppressor.suppress(source, sourceOffset, lengthBytes, inputMemory.segment(), 0);
        } else {
            MemorySegment.copy(source, sourceOffset, inputMemory.segment(), 0, lengthBytes);
        }
        int shortest = inputBytes;
        MemorySegment result = inputMemory.segment();
        applied = BatchCompression.of(wish.pack(), false);
        if (wish.lz4()) {
            final int compressedBytes = lz4.compress(input, 0, inputBytes, output, 0, output.capacity());
            if (compressedBytes < shortest) {
                shortest = compressedBytes;
                result = outputMemory.segment();
                applied = wish;
            }
        }
        if (shortest >= lengthBytes) {
            applied = BatchCompression.NONE;
            return NOT_SHORTER;
        }
        MemorySegment.copy(result, 0, target, targetOffset, shortest);
        return shortest;
    }

    /** What the last batch went through; {@link BatchCompression#NONE} if it did not get shorter. */
    public BatchCompression applied() {
        return applied;
    }

    /** Which code compresses: native or not. */
    public static String reason() {
        return Lz4.FACTORY.toString();
    }

    @Override
    public void close() {
        inputMemory.close();
        outputMemory.close();
    }
}
