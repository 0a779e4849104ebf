package org.resilire.benchmarks.codecs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.PageOrder;
import org.resilire.benchmarks.Place;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.guest.RandomContent;
import org.resilire.benchmarks.guest.SharedGuest;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.codec.EncoderOptions;
import org.resilire.codec.PageCodec;
import org.resilire.codec.PageEncoder;
import org.resilire.codec.PageRecord;
import org.resilire.codec.SharingIndex;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;

/**
 * What turning captured records into those that travel costs the encoder's thread, against {@code memcpy} of the captured bytes.
 * One word of 8 bytes changes in each changed block from one pass to the next, and content never repeats, so that sharing is
 * tried in vain: its price, not its gain. Times are those of one page.
 */
public class EncodeBenchmark extends Settings {

    private static final int PAGES = PageOrder.BATCH_PAGES;
    private static final long INDEX_BYTES = 8 << 20;

    @Param
    Place place;

    /** Of the 64 blocks of each page, at random places. */
    @Param("22")
    int changed;

    private final Arena arena = Arena.ofShared();
    private PageOrder order;
    private AnonymousMemory even;
    private AnonymousMemory odd;
    private MemorySegment out;
    private int recordBytes;

    @Setup
    public void setUp() {
        final SplittableRandom random = new SplittableRandom(8);
        order = new PageOrder(arena, place.pages(), random);
        recordBytes = PageRecord.HEADER_BYTES + changed * PageRecord.BLOCK_BYTES;
        final long lengthBytes = (long) place.pages() * recordBytes;
        even = AnonymousMemory.reserve("captured records", lengthBytes);
        odd = AnonymousMemory.reserve("captured records", lengthBytes);
        RandomContent.fill(even.segment(), 9);
        odd.segment().copyFrom(even.segment());
        for (int i = 0; i < place.pages(); i++) {
            final long at = (long) i * recordBytes;
            final long page = order.pageOffset(0, i) / PageRecord.PAGE_BYTES;
            final long mask = SharedGuest.mask(random, changed);
            PageRecord.putHeader(even.segment(), at, page, PageRecord.BLOCKS, mask);
            PageRecord.putHeader(odd.segment(), at, page, PageRecord.BLOCKS, mask);
            for (int block = 0; block < changed; block++) {
                final long word = at + PageRecord.HEADER_BYTES + (long) block * PageRecord.BLOCK_BYTES;
                odd.segment().set(ValueLayout.JAVA_LONG, word, random.nextLong());
                even.segment().set(ValueLayout.JAVA_LONG, word, random.nextLong());
            }
        }
        out = arena.allocate((long) PAGES * PageEncoder.ROOM_BYTES, PageRecord.BLOCK_BYTES);
    }

    @TearDown
    public void tearDown() {
        even.close();
        odd.close();
        arena.close();
    }

    private MemorySegment captured() {
        return (order.pass() & 1) == 0 ? even.segment() : odd.segment();
    }

    /** The bound: the captured bytes, copied once. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void memcpy() {
        final MemorySegment captured = captured();
        final long first = order.nextBatch() / Long.BYTES * recordBytes;
        for (int i = 0; i < PAGES; i++) {
            final long at = (long) i * recordBytes;
            LibC.memcpy(out, at, captured, first + at, recordBytes);
        }
    }

    /** As the encoder's stage does it, with the copy of what was sent brought up to date where one is kept. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public long encode(final Encoder encoder) {
        final MemorySegment captured = captured();
        final long first = order.nextBatch() / Long.BYTES * recordBytes;
        long to = 0;
        for (int i = 0; i < PAGES; i++) {
            to += encoder.encoder.encode(captured, first + (long) i * recordBytes, out, to);
        }
        encoder.outBytes = encoder.encoder.bytesOut();
        encoder.inBytes = encoder.encoder.bytesIn();
        return to;
    }

    /** An encoder, and how much smaller it makes things. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Encoder {

        @Param({"raw", "delta"})
        String codec;

        @Param({"false", "true"})
        boolean sharing;

        private long inBytes;
        private long outBytes;
        private AnonymousMemory sent;
        private SharingIndex index;
        private PageEncoder encoder;

        @Setup
        public void setUp(final EncodeBenchmark benchmark) {
            final BlockKernels kernels = BlockKernels.preferred();
            sent = AnonymousMemory.reserveHuge("sent memory", (long) benchmark.place.pages() * PageRecord.PAGE_BYTES);
            index = sharing ? new SharingIndex(INDEX_BYTES, kernels) : null;
            encoder = new PageEncoder(new EncoderOptions(PageCodec.of(codec), sharing), sent.segment(), kernels, index);
        }

        @TearDown
        public void tearDown() {
            if (index != null) {
                index.close();
            }
            sent.close();
        }

        /** Bytes that travel of each that was captured. */
        public double travels() {
            return (double) outBytes / inBytes;
        }
    }
}
