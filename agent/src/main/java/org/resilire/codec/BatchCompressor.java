package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import org.resilire.linux.AnonymousMemory;

/**
 * Compresses whole batches with LZ4. Works in memory of its own, because the library must have room for the worst case and the
 * batch's message has not; the copies cost a few per cent of the compression. Allocates nothing. Not thread-safe.
 */
public final class BatchCompressor implements AutoCloseable {

    /** Returned for a batch that would not get shorter. */
    public static final int NOT_SHORTER = -1;

    private final LZ4Compressor lz4 = Lz4.FACTORY.fastCompressor();
    private final AnonymousMemory inputMemory;
    private final AnonymousMemory outputMemory;
    private final ByteBuffer input;
    private final ByteBuffer output;

    /** @param largestBatchBytes no batch will be longer */
    public BatchCompressor(final int largestBatchBytes) {
        this.inputMemory = AnonymousMemory.reserve("a batch to compress", largestBatchBytes);
        this.outputMemory = AnonymousMemory.reserve("a compressed batch", lz4.maxCompressedLength(largestBatchBytes));
        this.input = inputMemory.segment().asByteBuffer();
        this.output = outputMemory.segment().asByteBuffer();
    }

    /**
     * Compresses a batch.
     *
     * @param target receives the compressed batch, which is shorter than the batch; may be the source, at the same offset too.
     *     Left as it is if the batch would not get shorter
     * @return compressed length, or {@link #NOT_SHORTER}
     */
    public int compress(
            final MemorySegment source,
            final long sourceOffset,
            final int lengthBytes,
            final MemorySegment target,
            final long targetOffset) {
        MemorySegment.copy(source, sourceOffset, inputMemory.segment(), 0, lengthBytes);
        final int compressedBytes = lz4.compress(input, 0, lengthBytes, output, 0, output.capacity());
        if (compressedBytes >= lengthBytes) {
            return NOT_SHORTER;
        }
        MemorySegment.copy(outputMemory.segment(), 0, target, targetOffset, compressedBytes);
        return compressedBytes;
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
