package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;

/**
 * Brings back batches that a peer compressed with LZ4. Whatever the peer sends, nothing beyond this object's own memory is
 * written. Allocates nothing as long as batches are sound. Not thread-safe.
 */
public final class BatchDecompressor implements AutoCloseable {

    private final LZ4SafeDecompressor lz4 = Lz4.FACTORY.safeDecompressor();
    private final AnonymousMemory inputMemory;
    private final AnonymousMemory outputMemory;
    private final ByteBuffer input;
    private final ByteBuffer output;
    private final UnsafeBuffer received;
    private final UnsafeBuffer decoded;

    /** @param largestBatchBytes what a batch may have, compressed as well as decoded */
    public BatchDecompressor(final int largestBatchBytes) {
        this.inputMemory = AnonymousMemory.reserve("a compressed batch", largestBatchBytes);
        this.outputMemory = AnonymousMemory.reserve("a decoded batch", largestBatchBytes);
        this.input = inputMemory.segment().asByteBuffer();
        this.output = outputMemory.segment().asByteBuffer();
        // SAFETY: both views are used by this object, or by its owner before close().
        this.received = new UnsafeBuffer(inputMemory.segment().address(), largestBatchBytes);
        this.decoded = new UnsafeBuffer(outputMemory.segment().address(), largestBatchBytes);
    }

    /**
     * Decompresses a batch into {@link #decoded}.
     *
     * @param decodedBytes length before compression, as the peer says
     * @throws MalformedBatchException if that is not what comes out, or cannot be
     */
    public void decompress(final DirectBuffer source, final int offset, final int lengthBytes, final int decodedBytes) {
        if (lengthBytes < 1 || lengthBytes > input.capacity() || decodedBytes < 1 || decodedBytes > output.capacity()) {
            throw new MalformedBatchException(lengthBytes + " compressed bytes of a batch of " + decodedBytes
                    + ": between 1 and " + output.capacity() + " are allowed");
        }
        source.getBytes(offset, received, 0, lengthBytes);
        final int actualBytes;
        try {
            actualBytes = lz4.decompress(input, 0, lengthBytes, output, 0, decodedBytes);
        } catch (final LZ4Exception e) {
            throw new MalformedBatchException("a compressed batch cannot be decoded: " + e.getMessage());
        }
        if (actualBytes != decodedBytes) {
            throw new MalformedBatchException(
                    "a compressed batch has " + actualBytes + " bytes, " + decodedBytes + " were announced");
        }
    }

    /** The last decoded batch, from offset 0. */
    public DirectBuffer decoded() {
        return decoded;
    }

    /** The same as a segment. */
    public MemorySegment decodedSegment() {
        return outputMemory.segment();
    }

    @Override
    public void close() {
        inputMemory.close();
        outputMemory.close();
    }
}
