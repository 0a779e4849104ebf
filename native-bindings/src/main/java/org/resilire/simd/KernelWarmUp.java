package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;

/**
 * Runs all kernels until their time a page no longer falls and they leave no garbage: vectors on the heap are the sure sign
 * of code that is not yet compiled as it should be, also while a busy machine keeps the compiler waiting.
 */
final class KernelWarmUp {
    private static final int PAGES_PER_BATCH = 500;
    private static final int SMALLEST_BATCH_COUNT = 8;
    private static final int STEADY_BATCHES = 4;
    private static final double STEADY_FACTOR = 1.3;
    private static final long LARGEST_GARBAGE_BYTES = 16L * PAGES_PER_BATCH;
    private static final long LARGEST_NANOS = 2_000_000_000L;

    private KernelWarmUp() {}

    /** Returns how many pages it took. */
    static int run(BlockKernels kernels) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment guest = page(arena);
            MemorySegment shadow = page(arena);
            MemorySegment out = arena.allocate(BlockKernels.largestLanesBytes(BlockKernels.BLOCKS_PER_PAGE), 64);
            MemorySegment sent = page(arena);
            MemorySegment packed = page(arena);
            long start = System.nanoTime();
            long before = start;
            long best = Long.MAX_VALUE;
            int steady = 0;
            int batches = 0;
            while ((batches < SMALLEST_BATCH_COUNT || steady < STEADY_BATCHES) && before - start < LARGEST_NANOS) {
                long garbageBefore = allocatedBytes();
                batch(kernels, guest, shadow, out, batches);
                encode(kernels, guest, sent, packed, out, shadow, batches);
                boolean clean = allocatedBytes() - garbageBefore <= LARGEST_GARBAGE_BYTES;
                long now = System.nanoTime();
                long took = now - before;
                before = now;
                // Steady: several clean batches in a row that neither improve on the best much nor fall behind it.
                boolean level = took <= best * STEADY_FACTOR && took * STEADY_FACTOR >= best;
                steady = clean && level ? steady + 1 : 0;
                best = Math.min(best, took);
                batches++;
            }
            return batches * PAGES_PER_BATCH;
        }
    }

    private static long allocatedBytes() {
        return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads
                ? threads.getCurrentThreadAllocatedBytes()
                : 0;
    }

    private static MemorySegment page(Arena arena) {
        return arena.allocate(BlockKernels.PAGE_BYTES, BlockKernels.BLOCK_BYTES);
    }

    private static void batch(
            BlockKernels kernels, MemorySegment guest, MemorySegment shadow, MemorySegment out, int round) {
        for (int i = 0; i < PAGES_PER_BATCH; i++) {
            int salt = round * PAGES_PER_BATCH + i;
            for (int block = salt % 3; block < BlockKernels.BLOCKS_PER_PAGE; block += 3) {
                guest.set(JAVA_BYTE, (long) block * BlockKernels.BLOCK_BYTES + salt % 64, (byte) salt);
            }
            long changed = kernels.changedBlocks(guest, 0, shadow, 0);
            long captured = kernels.captureChanged(guest, 0, shadow, 0, out, 0);
            if (changed != captured) {
                throw new IllegalStateException("the kernels disagree: " + kernels.reason());
            }
            kernels.xor(guest, 0, shadow, 0, out, 0, BlockKernels.PAGE_BYTES);
            if (!kernels.isZero(out, 0, BlockKernels.PAGE_BYTES)) {
                throw new IllegalStateException("the shadow is not what was captured: " + kernels.reason());
            }
        }
    }

    /** The guest's page goes the way of deferred encoding: to {@code sent} here, and by its lanes to {@code replica}. */
    private static void encode(
            BlockKernels kernels,
            MemorySegment guest,
            MemorySegment sent,
            MemorySegment packed,
            MemorySegment lanes,
            MemorySegment replica,
            int round) {
        replica.copyFrom(sent);
        for (int i = 0; i < PAGES_PER_BATCH; i++) {
            int salt = round * PAGES_PER_BATCH + i;
            for (int block = salt % 5; block < BlockKernels.BLOCKS_PER_PAGE; block += 3) {
                guest.set(JAVA_BYTE, (long) block * BlockKernels.BLOCK_BYTES + salt * 11L % 64, (byte) salt);
            }
            long changed = kernels.copyChanged(guest, 0, sent, 0, packed, 0);
            int count = Long.bitCount(changed);
            long wanted = changed & ~Long.expand(kernels.zeroBlocks(packed, 0, count), changed);
            kernels.xorLanes(packed, 0, changed, wanted, sent, 0, lanes, 0);
            kernels.applyLanes(lanes, 0, wanted, replica, 0);
            long block = salt * 64L % BlockKernels.PAGE_BYTES;
            if (!kernels.sameBlock(sent, block, replica, block)) {
                throw new IllegalStateException("the lanes are not what was encoded: " + kernels.reason());
            }
        }
    }
}
