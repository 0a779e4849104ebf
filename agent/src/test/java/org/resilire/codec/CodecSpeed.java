package org.resilire.codec;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.simd.BlockKernels;
import org.resilire.simd.ScalarBlockKernels;

/**
 * Prints roughly what encoding and applying cost, so that gross slowness is found: not a benchmark. Pages of a memory larger than
 * any cache, a third of their blocks changed by a lane or two, some blocks zero, some the same in many pages.
 */
final class CodecSpeed {

    private static final int PAGES = Integer.getInteger("pages", 32_768);
    private static final int CHUNK_BYTES = 64 << 10;
    private static final int ROUNDS = 12;

    private CodecSpeed() {}

    public static void main(final String[] arguments) {
        final boolean scalar = arguments.length > 0 && arguments[0].equals("scalar");
        final BlockKernels kernels = scalar ? new ScalarBlockKernels() : BlockKernels.preferred();
        if (!scalar) {
            kernels.warmUp();
        }
        System.out.println(kernels.reason() + "; " + BatchCompressor.reason());
        for (final PageCodec codec :
                new PageCodec[] {PageCodec.RAW, PageCodec.LZ4, PageCodec.DELTA, PageCodec.DELTA_LZ4}) {
            measure(new EncoderOptions(codec, false), kernels);
            measure(new EncoderOptions(codec, true), kernels);
        }
    }

    private static void measure(final EncoderOptions options, final BlockKernels kernels) {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final Random random = new Random(1);
        try (Arena arena = Arena.ofShared();
                SharingIndex index = new SharingIndex(16 << 20, kernels);
                BatchCompressor compressor = new BatchCompressor(2 * CHUNK_BYTES);
                BatchDecompressor decompressor = new BatchDecompressor(2 * CHUNK_BYTES)) {
            final MemorySegment sent = arena.allocate((long) PAGES * PageRecord.PAGE_BYTES, 2 << 20);
            final MemorySegment replica = arena.allocate((long) PAGES * PageRecord.PAGE_BYTES, 2 << 20);
            final MemorySegment captured = arena.allocate(CHUNK_BYTES);
            final MemorySegment wire = arena.allocate(2 * CHUNK_BYTES);
            final UnsafeBuffer wireBuffer = new UnsafeBuffer(wire.address(), 2 * CHUNK_BYTES);
            final MemorySegment decoded = decompressor.decodedSegment();
            final PageEncoder encoder = new PageEncoder(
                    options, options.needsSentMemory() ? sent : null, kernels, options.sharing() ? index : null);
            final PageBatchValidator validator = new PageBatchValidator(PAGES);
            final PageBatchApplier applier = new PageBatchApplier(replica, kernels);
            final boolean lz4 = options.codec().lz4();
            long encodeNanos = 0;
            long compressNanos = 0;
            long decompressNanos = 0;
            long validateNanos = 0;
            long applyNanos = 0;
            long encodeGarbage = 0;
            long applyGarbage = 0;
            long capturedBytes = 0;
            long wireBytes = 0;
            long pages = 0;
            for (int round = 0; round < ROUNDS; round++) {
                final boolean counts = round >= ROUNDS / 2;
                for (int page = 0; page < PAGES; ) {
                    int length = 0;
                    int records = 0;
                    while (page < PAGES && CHUNK_BYTES - length >= PageRecord.MAX_BYTES) {
                        length += capture(captured, length, page, replica, random);
                        page++;
                        records++;
                    }
                    final long garbage0 = threads.getCurrentThreadAllocatedBytes();
                    final long t0 = System.nanoTime();
                    int at = 0;
                    int out = 0;
                    for (int i = 0; i < records; i++) {
                        out += encoder.encode(captured, at, wire, out);
                        at += PageEncoder.capturedBytes(captured, at);
                    }
                    final long t1 = System.nanoTime();
                    final int compressed = lz4 ? compressor.compress(wire, 0, out, wire, 0) : 0;
                    final long t2 = System.nanoTime();
                    final long garbage1 = threads.getCurrentThreadAllocatedBytes();
                    if (compressed > 0) {
                        decompressor.decompress(wireBuffer, 0, compressed, out);
                    }
                    final long t3 = System.nanoTime();
                    final MemorySegment batch = compressed > 0 ? decoded : wire;
                    validator.validate(batch, 0, out, records);
                    final long t4 = System.nanoTime();
                    long from = 0;
                    while (from < out) {
                        from = applier.applyOne(batch, from);
                    }
                    final long t5 = System.nanoTime();
                    final long garbage2 = threads.getCurrentThreadAllocatedBytes();
                    if (counts) {
                        encodeNanos += t1 - t0;
                        compressNanos += t2 - t1;
                        decompressNanos += t3 - t2;
                        validateNanos += t4 - t3;
                        applyNanos += t5 - t4;
                        encodeGarbage += garbage1 - garbage0;
                        applyGarbage += garbage2 - garbage1;
                        capturedBytes += length;
                        wireBytes += compressed > 0 ? compressed : out;
                        pages += records;
                    }
                }
            }
            System.out.printf(
                    "%-10s %-8s captured %5.0f B/page, ratio %.2f; ns/page: encode %5.0f (%.1f GB/s) lz4 %5.0f |"
                            + " unlz4 %4.0f validate %3.0f apply %4.0f; garbage B/page %.2f %.2f; shared %d%n",
                    options.codec().text(),
                    options.sharing() ? "sharing" : "",
                    (double) capturedBytes / pages,
                    (double) capturedBytes / wireBytes,
                    (double) encodeNanos / pages,
                    (double) capturedBytes / encodeNanos,
                    (double) compressNanos / pages,
                    (double) decompressNanos / pages,
                    (double) validateNanos / pages,
                    (double) applyNanos / pages,
                    (double) encodeGarbage / pages,
                    (double) applyGarbage / pages,
                    encoder.sharedBlocks());
            if (options.needsSentMemory() && sent.mismatch(replica) != -1) {
                throw new AssertionError("the replica differs");
            }
        }
    }

    private static int capture(
            final MemorySegment out, final long at, final int page, final MemorySegment previous, final Random random) {
        final long pageOffset = (long) page * PageRecord.PAGE_BYTES;
        long mask = 0;
        long to = at + PageRecord.HEADER_BYTES;
        for (int block = 0; block < PageRecord.BLOCKS_PER_PAGE; block++) {
            final int kind = random.nextInt(30);
            if (kind >= 10) {
                continue;
            }
            mask |= 1L << block;
            if (kind == 0) {
                out.asSlice(to, 64).fill((byte) 0);
            } else if (kind == 1) {
                out.asSlice(to, 64).fill((byte) (1 + random.nextInt(100)));
            } else if (kind == 2) {
                for (int i = 0; i < 64; i += 8) {
                    out.set(ValueLayout.JAVA_LONG_UNALIGNED, to + i, random.nextInt());
                }
            } else {
                MemorySegment.copy(previous, pageOffset + block * 64L, out, to, 64);
                out.set(ValueLayout.JAVA_LONG_UNALIGNED, to + random.nextInt(8) * 8L, random.nextInt());
            }
            to += 64;
        }
        PageRecord.putHeader(out, at, page, PageRecord.BLOCKS, mask);
        return (int) (to - at);
    }
}
