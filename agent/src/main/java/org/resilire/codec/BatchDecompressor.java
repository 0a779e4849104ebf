package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;

/**
 * Brings back batches that a peer compressed. Whatever the peer sends, nothing beyond this object's own memory is written. Allocates
 * nothing as long as batches are sound. Not thread-safe.
 */
public final class BatchDecompressor implements AutoCloseable {

    private final LZ4SafeDecompressor lz4 = Lz4.FACTORY.safeDecompressor();
    private final int largestBatchBytes;
    private final AnonymousMemory inputMemory;
    private final AnonymousMemory packedMemory;
    private final AnonymousMemory outputMemory;
    private final ByteBuffer input;
    private final ByteBuffer packed;
    private final ByteBuffer output;
    private final UnsafeBuffer received;
    private final UnsafeBuffer decoded;

    /** @param largestBatchBytes what a batch may have, compressed as well as decoded */
    public BatchDecompressor(final int largestBatchBytes) {
        this.largestBatchBytes = largestBatchBytes;
        final int packedBytes = ZeroByteSuppressor.largestSuppressedBytes(largestBatchBytes);
        this.inputMemory =
                AnonymousMemory.reserve("a compressed batch", largestBatchBytes + ZeroByteSuppressor.SLACK_BYTES);
        this.packedMemory =
                AnonymousMemory.reserve("a batch without its zero bytes", packedBytes + ZeroByteSuppressor.SLACK_BYTES);
        this.outputMemory = AnonymousMemory.reserve("a decoded batch", largestBatchBytes);
        this.input = inputMemory.segment().asByteBuffer();
        this.packed = packedMemory.segment().asSlice(0, packedBytes).asByteBuffer();
        this.output = outputMemory.segment().asByteBuffer();
        // SAFETY: both views are used by this object, or by its owner before close().
        this.received = new UnsafeBuffer(inputMemory.segment().address(), largestBatchBytes);
        this.decoded = new UnsafeBuffer(outputMemory.segment().address(), largestBatchBytes);
    }

    /**
     * Decompresses a batch into {@link #decoded}.
     *
     * @param compression what the peer says it has done with the batch, not {@link BatchCompression#NONE}
     * @param decodedBytes length before compression, as the peer says
     * @throws MalformedBatchException if that is not what comes out, or cannot be
     */
    public void decompress(
            final BatchCompression compression,
            final DirectBuffer source,
            final int offset,
            final int lengthBytes,
            final int decodedBytes) {
        if (lengthBytes < 1
                || lengthBytes > largestBatchBytes
                || decodedBytes < 1
                || decodedBytes > largestBatchBytes) {
            throw new MalformedBatchException(lengthBytes + " compressed bytes of a batch of " + decodedBytes
                    + ": between 1 and " + largestBatchBytes + " are allowed");
        }
        source.getBytes(offset, received, 0, lengthBytes);
        switch (compression) {
            case LZ4 -> {
                final int actualBytes = lz4(lengthBytes, output, decodedBytes);
                if (actualBytes != decodedBytes) {
                    throw new MalformedBatchException(
                            "a compressed batch has " + actualBytes + " bytes, " + decodedBytes + " were announced");
                }
            }
            case PACK -> restore(inputMemory.segment(), lengthBytes, decodedBytes);
            case PACK_LZ4 -> {
                final int packedBytes =
                        lz4(lengthBytes, packed, ZeroByteSuppressor.largestSuppressedBytes(decodedBytes));
                restore(packedMemory.segment(), packedBytes, decodedBytes);
            }
            case NONE -> throw new IllegalArgumentException("the batch is not compressed");
        }
    }

    private int lz4(final int lengthBytes, final ByteBuffer target, final int limitBytes) {
        try {
            return lz4.decompress(input, 0, lengthBytes, target, 0, limitBytes);
        } catch (final LZ4Exception e) {
            throw new MalformedBatchException("a compressed batch cannot be decoded: " + e.getMessage());
        }
    }

    private void restore(final MemorySegment from, final int packedBytes, final int decodedBytes) {
        ZeroByteSuppressor.restore(from, 0, packedBytes, outputMemory.segment(), 0, decodedBytes);
    }

    /** The last batch as the peer sent it, from offset 0. */
    public MemorySegment receivedSegment() {
        return inputMemory.segment();
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
        packedMemory.close();
        outputMemory.close();
    }
}
