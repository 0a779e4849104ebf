package org.resilire.benchmarks.strategies;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
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
import org.resilire.benchmarks.guest.SharedGuest;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.codec.PageRecord;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.fgbi.SentMemory;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;

/**
 * What it costs to turn a dirty page into a captured record, by strategy, against {@code memcmp} and {@code memcpy} of whole
 * pages of the same memory. Pages are dirtied while no time is taken, one pass over all of them ahead. Times are those of one
 * page.
 */
public class StrategyBenchmark extends Settings {

    private static final int PAGES = PageOrder.BATCH_PAGES;
    private static final int PAGE_BYTES = GuestMemory.PAGE_BYTES;

    @Param
    Place place;

    private SharedGuest guest;
    private AnonymousMemory copy;
    private Arena arena;
    private PageOrder order;
    private MemorySegment out;

    @Setup
    public void setUp() {
        arena = Arena.ofShared();
        guest = SharedGuest.create(place.pages());
        copy = AnonymousMemory.reserveHuge("a copy", guest.memory().lengthBytes());
        copy.segment().copyFrom(guest.bytes());
        order = new PageOrder(arena, place.pages(), new SplittableRandom(1));
        out = arena.allocate((long) PAGES * PageRecord.MAX_BYTES, PAGE_BYTES);
    }

    @TearDown
    public void tearDown() {
        guest.close();
        copy.close();
        arena.close();
    }

    /** A bound: all of a page and its shadow is read. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int memcmp() {
        final MemorySegment pages = guest.memory().segment();
        final long batch = order.nextBatch();
        int differ = 0;
        for (int i = 0; i < PAGES; i++) {
            final long page = order.pageOffset(batch, i);
            differ |= LibC.memcmp(pages, page, copy.segment(), page, PAGE_BYTES);
        }
        return differ;
    }

    /** A bound: all of a page is copied. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void memcpy() {
        final MemorySegment pages = guest.memory().segment();
        final long batch = order.nextBatch();
        for (int i = 0; i < PAGES; i++) {
            LibC.memcpy(out, (long) i * PAGE_BYTES, pages, order.pageOffset(batch, i), PAGE_BYTES);
        }
    }

    /** What the agent does with each dirty page in the pause. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against({"memcmp", "memcpy"})
    public long capture(final Dirtied dirtied) {
        final long batch = dirtied.nextBatch(order);
        long at = 0;
        for (int i = 0; i < PAGES; i++) {
            at += dirtied.identifier.capture(order.pageOffset(batch, i) >>> GuestMemory.PAGE_SHIFT, out, at);
        }
        return at;
    }

    /** An identifier, and the guest that gives it work. */
    @State(Scope.Thread)
    public static class Dirtied {

        @Param
        Strategy strategy;

        /** Of the 64 blocks of each page, at random places. */
        @Param({"1", "22"})
        int changed;

        private BlockIdentifier identifier;
        private SentMemory sent;
        private SharedGuest guest;
        private PageOrder order;
        private long[] masks;
        private long lastBatch;

        @Setup
        public void setUp(final StrategyBenchmark benchmark) {
            guest = benchmark.guest;
            order = benchmark.order;
            final SplittableRandom random = new SplittableRandom(2);
            masks = random.longs(benchmark.place.pages(), 0, Long.MAX_VALUE)
                    .map(ignored -> SharedGuest.mask(random, changed))
                    .toArray();
            sent = new SentMemory("a benchmark", guest.memory().lengthBytes());
            sent.segment().copyFrom(guest.bytes());
            identifier = strategy.create(guest.memory().segment(), sent, BlockKernels.preferred());
            for (int page = 0; page < masks.length; page++) {
                identifier.capture(page, benchmark.out, 0);
                guest.dirty((long) page * PAGE_BYTES, masks[page]);
            }
        }

        long nextBatch(final PageOrder from) {
            lastBatch = from.nextBatch();
            return lastBatch;
        }

        /** Gives the next pass something to find. */
        @TearDown(Level.Invocation)
        public void dirtyAgain() {
            for (int i = 0; i < PAGES; i++) {
                final long page = order.pageOffset(lastBatch, i);
                guest.dirty(page, masks[(int) (page >>> GuestMemory.PAGE_SHIFT)]);
            }
        }

        @TearDown
        public void tearDown() {
            identifier.close();
            sent.close();
        }
    }
}
