package org.resilire.benchmarks.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.PageOrder;
import org.resilire.benchmarks.Place;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.yardstick.CKernels;
import org.resilire.simd.BlockKernels;
import org.resilire.simd.ScalarBlockKernels;

/**
 * Compare, copy and shadow update in one pass over a page, against the same kernel in C, which gets 64 pages a call. Times are
 * those of one page; in every pass the same number of blocks of each page has changed. The agent's where an encoder does not
 * bring the shadow up to date; where it does, its pause has {@link CopyChangedBenchmark}.
 */
public class FusedCaptureBenchmark extends Settings {

    private static final int PAGES = PageOrder.BATCH_PAGES;

    @Param
    Place place;

    /** Of the 64 blocks of a page, at random places: one, or a third as measured on a busy guest. */
    @Param({"1", "22"})
    int changed;

    private final BlockKernels kernels = BlockKernels.preferred();
    private final BlockKernels scalar = new ScalarBlockKernels();
    private GuestVersions versions;
    private PageOrder order;

    @Setup
    public void setUp() {
        versions = new GuestVersions(place.pages(), changed);
        order = versions.order();
    }

    @TearDown
    public void tearDown() {
        versions.close();
    }

    /** C, 512-bit vectors. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public long cAvx512() {
        final MemorySegment guest = versions.guest();
        return CKernels.fusedAvx512(
                guest, versions.shadow(), versions.out(), order, order.nextBatch(), versions.masks());
    }

    /** C, 256-bit vectors. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("cAvx512")
    public long cAvx2() {
        final MemorySegment guest = versions.guest();
        return CKernels.fusedAvx2(guest, versions.shadow(), versions.out(), order, order.nextBatch(), versions.masks());
    }

    /** Java, as the agent does it. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against({"cAvx512", "cAvx2"})
    public long java() {
        return capture(kernels);
    }

    /** Java without SIMD. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("cAvx512")
    public long javaScalar() {
        return capture(scalar);
    }

    private long capture(final BlockKernels with) {
        final MemorySegment guest = versions.guest();
        final MemorySegment shadow = versions.shadow();
        final MemorySegment out = versions.out();
        final MemorySegment masks = versions.masks();
        final long batch = order.nextBatch();
        long at = 0;
        for (int i = 0; i < PAGES; i++) {
            final long page = order.pageOffset(batch, i);
            final long mask = with.captureChanged(guest, page, shadow, page, out, at);
            masks.setAtIndex(ValueLayout.JAVA_LONG, i, mask);
            at += (long) BlockKernels.BLOCK_BYTES * Long.bitCount(mask);
        }
        return at;
    }
}
