package org.resilire.benchmarks.capture;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.guest.SharedGuest;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.codec.PageCodec;
import org.resilire.epoch.CapturePipe;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.ReplicationMode;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;
import org.resilire.wire.sbe.EpochKind;

/**
 * All that the agent does to memory while a guest is paused: ask the kernel which pages were written, find their changed blocks,
 * copy them and hand them over; without a guest, so that pages are dirtied by this process while no time is taken. Against
 * {@code memcmp} of the same pages in the same order. Times are those of a whole epoch.
 */
public class CaptureBenchmark extends Settings {

    private static final int CHUNKS = 64;
    private static final int CHUNK_BYTES = 256 << 10;
    private static final long WAIT_NANOS = 20_000;
    private static final int PAGE_BYTES = GuestMemory.PAGE_BYTES;

    /** Of {@link #guestMebibytes}, at random places. */
    @Param({"10", "240", "2400", "24000"})
    int dirtyPages;

    /** All of it is there: a scan walks it all. */
    @Param("512")
    int guestMebibytes;

    private SharedGuest guest;
    private AnonymousMemory copy;
    private PageRuns given;
    private long[] pages;

    @Setup
    public void setUp() {
        final long pageCount = ((long) guestMebibytes << 20) / PAGE_BYTES;
        guest = SharedGuest.create(pageCount);
        copy = AnonymousMemory.reserveHuge("a copy", guest.memory().lengthBytes());
        pages = distinct(new SplittableRandom(5), pageCount, dirtyPages);
        given = new PageRuns(dirtyPages);
        for (final long page : pages) {
            given.add(page, 1);
            final long at = page * PAGE_BYTES;
            MemorySegment.copy(guest.bytes(), at, copy.segment(), at, PAGE_BYTES);
        }
    }

    private static long[] distinct(final SplittableRandom random, final long bound, final int count) {
        return LongStream.generate(() -> random.nextLong(bound))
                .distinct()
                .limit(count)
                .sorted()
                .toArray();
    }

    @TearDown
    public void tearDown() {
        guest.close();
        copy.close();
    }

    /** The bound. */
    @Benchmark
    public int memcmp() {
        final MemorySegment memory = guest.memory().segment();
        int differ = 0;
        for (int i = 0; i < given.size(); i++) {
            final long count = given.pageCount(i) * PAGE_BYTES;
            final long at = given.firstPage(i) * PAGE_BYTES;
            differ |= LibC.memcmp(memory, at, copy.segment(), at, count);
        }
        return differ;
    }

    /** Only the kernel's part. */
    @Benchmark
    public long scan(final Tracked tracked) {
        tracked.tracker.collect(tracked.runs);
        return tracked.runs.totalPages();
    }

    /** Only the agent's part, of pages that are known to be dirty. */
    @Benchmark
    @Against("memcmp")
    public long capture(final Dirtied dirtied) {
        return dirtied.capture(given);
    }

    /** Both. */
    @Benchmark
    @Against({"memcmp", "capture"})
    public long scanAndCapture(final Dirtied dirtied, final Tracked tracked) {
        tracked.tracker.collect(tracked.runs);
        return dirtied.capture(tracked.runs);
    }

    /** A guest that writes between two epochs. */
    @State(Scope.Thread)
    public static class Writing {

        /** Of the 64 blocks of each page, at random places. */
        @Param("8")
        int changed;

        private SharedGuest guest;
        private long[] pages;
        private long[] masks;

        /** Not a set-up of JMH's own: that would call what overrides it once for each class. */
        void start(final CaptureBenchmark benchmark) {
            guest = benchmark.guest;
            pages = benchmark.pages;
            final SplittableRandom random = new SplittableRandom(6);
            masks = new long[pages.length];
            for (int i = 0; i < masks.length; i++) {
                masks[i] = SharedGuest.mask(random, changed);
            }
        }

        @Setup(Level.Invocation)
        public void write() {
            for (int i = 0; i < pages.length; i++) {
                guest.dirty(pages[i] * PAGE_BYTES, masks[i]);
            }
        }
    }

    /** The agent's part, with something to do before every invocation. */
    @State(Scope.Thread)
    public static class Dirtied extends Writing {

        /** As large as QEMU's for a small machine; it does not change here. */
        private static final int DEVICE_STATE_BYTES = 80 << 10;

        /** The shadow is brought up to date in the pause: nothing has to be encoded for the next one. */
        private static final ReplicationMode BARE_FGBI =
                new ReplicationMode(Identification.SHADOW, BlockSize.B64, PageCodec.RAW, false);

        private final CapturePipe pipe = new CapturePipe(CHUNKS, CHUNK_BYTES, new SleepingIdleStrategy(WAIT_NANOS));
        private ModeParts mode;
        private EpochWriter writer;
        private Drain drain;
        private long epoch;

        @Setup
        public void setUp(final CaptureBenchmark benchmark) {
            start(benchmark);
            final BlockKernels kernels = BlockKernels.preferred();
            kernels.warmUp();
            mode = new ModeParts(BARE_FGBI, benchmark.guest.memory().segment(), kernels);
            writer = new EpochWriter(pipe, mode, true);
            drain = new Drain(pipe);
            capture(benchmark.given);
        }

        long capture(final PageRuns runs) {
            writer.begin(++epoch, EpochKind.CHECKPOINT);
            writer.capture(runs);
            writer.captureDeviceState(DEVICE_STATE_BYTES);
            writer.end();
            return writer.capturedBytes();
        }

        @TearDown
        public void tearDown() {
            drain.close();
            pipe.close();
            mode.close();
        }
    }

    /** The kernel's part. */
    @State(Scope.Thread)
    public static class Tracked extends Writing {

        private OwnMemoryTracker tracker;
        private PageRuns runs;

        @Setup
        public void setUp(final CaptureBenchmark benchmark) {
            start(benchmark);
            runs = new PageRuns(benchmark.dirtyPages);
            tracker = new OwnMemoryTracker(benchmark.guest.bytes());
            tracker.arm();
        }

        @TearDown
        public void tearDown() {
            tracker.close();
        }
    }
}
