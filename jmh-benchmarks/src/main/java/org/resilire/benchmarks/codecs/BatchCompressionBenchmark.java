package org.resilire.benchmarks.codecs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.codec.BatchCompression;
import org.resilire.codec.BatchCompressor;
import org.resilire.codec.BatchDecompressor;

/**
 * What compressing a batch of records costs at both ends, against {@code memcpy} of the batch. Its words of 8 bytes are random or a small
 * number, as what changed in a counter is. Times are those of a batch of 64 KiB.
 */
public class BatchCompressionBenchmark extends Settings {

    private static final int BATCH_BYTES = 64 << 10;
    private static final int SMALL_NUMBERS = 4_096;

    @Param({"PACK", "LZ4", "PACK_LZ4"})
    BatchCompression compression;

    /** Of a hundred words. */
    @Param({"0", "50", "100"})
    int randomWords;

    private final Arena arena = Arena.ofShared();
    private final BatchCompressor compressor = new BatchCompressor(BATCH_BYTES);
    private final BatchDecompressor decompressor = new BatchDecompressor(BATCH_BYTES);
    private MemorySegment batch;
    private MemorySegment out;
    private MemorySegment compressed;
    private UnsafeBuffer message;
    private int compressedBytes;
    private BatchCompression applied;

    @Setup
    public void setUp() {
        final SplittableRandom random = new SplittableRandom(10);
        batch = arena.allocate(BATCH_BYTES, Long.BYTES);
        out = arena.allocate(BATCH_BYTES, Long.BYTES);
        compressed = arena.allocate(BATCH_BYTES, Long.BYTES);
        for (long at = 0; at < BATCH_BYTES; at += Long.BYTES) {
            final boolean isRandom = random.nextInt(100) < randomWords;
            batch.set(ValueLayout.JAVA_LONG, at, isRandom ? random.nextLong() : random.nextInt(SMALL_NUMBERS));
        }
        compressedBytes = compressor.compress(compression, batch, 0, BATCH_BYTES, compressed, 0);
        applied = compressor.applied();
        // SAFETY: the arena lives until tearDown().
        message = new UnsafeBuffer(compressed.address(), BATCH_BYTES);
    }

    @TearDown
    public void tearDown() {
        compressor.close();
        decompressor.close();
        arena.close();
    }

    /** The bound. */
    @Benchmark
    public void memcpy() {
        LibC.memcpy(out, 0, batch, 0, BATCH_BYTES);
    }

    /** A batch that does not get shorter is left as it is. */
    @Benchmark
    @Against("memcpy")
    public int compress(final Outcome outcome) {
        final int bytes = compressor.compress(compression, batch, 0, BATCH_BYTES, out, 0);
        outcome.bytes = bytes == BatchCompressor.NOT_SHORTER ? BATCH_BYTES : bytes;
        return bytes;
    }

    /** With the checks that input from a socket needs; nothing to do for a batch that travels as it is. */
    @Benchmark
    @Against("memcpy")
    public int decompress() {
        if (compressedBytes != BatchCompressor.NOT_SHORTER) {
            decompressor.decompress(applied, message, 0, compressedBytes, BATCH_BYTES);
        }
        return compressedBytes;
    }

    /** How much shorter batches get. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Outcome {

        private int bytes;

        /** Bytes that travel of each of the batch. */
        public double travels() {
            return (double) bytes / BATCH_BYTES;
        }
    }
}
