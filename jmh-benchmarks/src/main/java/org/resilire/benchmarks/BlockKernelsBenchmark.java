package org.resilire.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.resilire.simd.BlockKernels;
import org.resilire.simd.ScalarBlockKernels;

/**
 * What it costs to look at one page, against the bound: comparing the same memory with {@code memcmp}. Pages are taken in random
 * order, from memory that fits a cache or does not.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED"
        })
public class BlockKernelsBenchmark {

    private static final int PAGE_BYTES = 4096;

    /** 64 pages stay in a core's cache, 65,536 (256 MiB) do not. */
    @Param({"64", "65536"})
    int pages;

    /** SIMD, or its scalar twin. */
    @Param({"preferred", "scalar"})
    String kernels;

    private BlockKernels under;
    private MemorySegment guest;
    private MemorySegment shadow;
    private MemorySegment out;
    private long[] order;
    private int next;

    @Setup
    public void setUp() {
        under = kernels.equals("scalar") ? new ScalarBlockKernels() : BlockKernels.preferred();
        guest = Arena.ofAuto().allocate((long) pages * PAGE_BYTES, PAGE_BYTES);
        shadow = Arena.ofAuto().allocate((long) pages * PAGE_BYTES, PAGE_BYTES);
        out = Arena.ofAuto().allocate(PAGE_BYTES, PAGE_BYTES);
        final SplittableRandom random = new SplittableRandom(1);
        for (long offset = 0; offset < guest.byteSize(); offset += Long.BYTES) {
            guest.set(ValueLayout.JAVA_LONG, offset, random.nextLong());
        }
        shadow.copyFrom(guest);
        order = random.longs(pages, 0, pages).map(page -> page * PAGE_BYTES).toArray();
    }

    private long nextPage() {
        next = next + 1 == order.length ? 0 : next + 1;
        return order[next];
    }

    /** The bound: {@code memcmp} of equal pages. */
    @Benchmark
    public long memcmp() {
        final long page = nextPage();
        return MemorySegment.mismatch(guest, page, page + PAGE_BYTES, shadow, page, page + PAGE_BYTES);
    }

    /** Which blocks changed, when none did. */
    @Benchmark
    public long compare() {
        final long page = nextPage();
        return under.changedBlocks(guest, page, shadow, page);
    }

    /** Compare, copy and shadow update, when one block changed. */
    @Benchmark
    public long captureOneBlock() {
        final long page = nextPage();
        final long at = page + (page >>> 6) % PAGE_BYTES / 64 * 64;
        guest.set(ValueLayout.JAVA_LONG, at, next);
        return under.captureChanged(guest, page, shadow, page, out, 0);
    }
}
