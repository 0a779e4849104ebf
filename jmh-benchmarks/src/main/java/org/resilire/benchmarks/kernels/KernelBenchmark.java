package org.resilire.benchmarks.kernels;

import java.lang.foreign.MemorySegment;
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
import org.resilire.benchmarks.yardstick.CKernels;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.simd.BlockKernels;
import org.resilire.simd.ScalarBlockKernels;

/**
 * What it costs to look at a page that has not changed, against the bound: {@code memcmp} of the same pages, which has to read
 * all of both. Times are those of one page.
 */
public class KernelBenchmark extends Settings {

    private static final int PAGES = PageOrder.BATCH_PAGES;
    private static final int PAGE_BYTES = BlockKernels.PAGE_BYTES;

    @Param
    Place place;

    private final BlockKernels kernels = BlockKernels.preferred();
    private final BlockKernels scalar = new ScalarBlockKernels();
    private GuestVersions versions;
    private MemorySegment guest;
    private MemorySegment shadow;
    private MemorySegment out;
    private PageOrder order;

    @Setup
    public void setUp() {
        versions = new GuestVersions(place.pages(), 0);
        guest = versions.guest();
        shadow = versions.shadow();
        out = versions.out();
        order = versions.order();
    }

    @TearDown
    public void tearDown() {
        versions.close();
    }

    /** The bound of all that reads two pages. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int memcmp() {
        final long batch = order.nextBatch();
        int differ = 0;
        for (int i = 0; i < PAGES; i++) {
            final long page = order.pageOffset(batch, i);
            differ |= LibC.memcmp(guest, page, shadow, page, PAGE_BYTES);
        }
        return differ;
    }

    /** The bound of what reads one page and writes another. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void memcpy() {
        final long batch = order.nextBatch();
        for (int i = 0; i < PAGES; i++) {
            LibC.memcpy(out, (long) i * PAGE_BYTES, guest, order.pageOffset(batch, i), PAGE_BYTES);
        }
    }

    /** Which blocks changed. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against({"memcmp", "cChangedBlocks"})
    public long changedBlocks() {
        return changedBlocks(kernels);
    }

    /** Which blocks changed, without SIMD. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcmp")
    public long changedBlocksScalar() {
        return changedBlocks(scalar);
    }

    private long changedBlocks(final BlockKernels with) {
        final long batch = order.nextBatch();
        long any = 0;
        for (int i = 0; i < PAGES; i++) {
            final long page = order.pageOffset(batch, i);
            any |= with.changedBlocks(guest, page, shadow, page);
        }
        return any;
    }

    /** Which blocks changed, in C with AVX-512. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcmp")
    public void cChangedBlocks() {
        CKernels.changedAvx512(guest, shadow, order, order.nextBatch(), versions.masks());
    }

    /** The difference of two pages, for delta encoding. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against({"memcmp", "memcpy"})
    public void xor() {
        final long batch = order.nextBatch();
        for (int i = 0; i < PAGES; i++) {
            final long page = order.pageOffset(batch, i);
            kernels.xor(guest, page, shadow, page, out, (long) i * PAGE_BYTES, PAGE_BYTES);
        }
    }

    /** Whether a page that was zeroed is all zero. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public boolean isZero(final Zeroed zeroed) {
        final long batch = order.nextBatch();
        boolean all = true;
        for (int i = 0; i < PAGES; i++) {
            all &= kernels.isZero(guest, order.pageOffset(batch, i), PAGE_BYTES);
        }
        return all;
    }

    /** Makes the guest's memory zero for one benchmark. */
    @State(Scope.Thread)
    public static class Zeroed {

        @Setup
        public void setUp(final KernelBenchmark benchmark) {
            benchmark.guest.fill((byte) 0);
        }
    }
}
