package org.resilire.benchmarks.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.resilire.benchmarks.PageOrder;
import org.resilire.benchmarks.guest.RandomContent;
import org.resilire.benchmarks.guest.SharedGuest;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;

/**
 * A guest's memory in two versions, and its shadow. Each pass over all pages looks at the other version, so that a kernel which
 * brings the shadow up to date finds as many changed blocks in the next pass, and nothing need be dirtied while time is taken.
 */
final class GuestVersions implements AutoCloseable {

    private static final int PAGE_BYTES = BlockKernels.PAGE_BYTES;
    private static final int BLOCK_BYTES = BlockKernels.BLOCK_BYTES;

    private final Arena arena = Arena.ofShared();
    private final AnonymousMemory even;
    private final AnonymousMemory odd;
    private final AnonymousMemory shadowMemory;
    private final PageOrder order;
    private final MemorySegment out = arena.allocate((long) PageOrder.BATCH_PAGES * PAGE_BYTES, PAGE_BYTES);
    private final MemorySegment masks = arena.allocate(ValueLayout.JAVA_LONG, PageOrder.BATCH_PAGES);

    /** @param changedBlocks by how many blocks of each page, at random places, the versions differ; in one 8-byte word each */
    GuestVersions(final int pages, final int changedBlocks) {
        final long lengthBytes = (long) pages * PAGE_BYTES;
        even = AnonymousMemory.reserve("a guest's memory", lengthBytes);
        odd = AnonymousMemory.reserve("a guest's memory, changed", lengthBytes);
        // As the agent has it.
        shadowMemory = AnonymousMemory.reserveHuge("a shadow", lengthBytes);
        final SplittableRandom random = new SplittableRandom(1);
        order = new PageOrder(arena, pages, random);
        RandomContent.fill(even.segment(), 4);
        odd.segment().copyFrom(even.segment());
        shadowMemory.segment().copyFrom(odd.segment());
        for (int page = 0; page < pages; page++) {
            change(page, SharedGuest.mask(random, changedBlocks), random);
        }
    }

    private void change(final int page, final long mask, final SplittableRandom random) {
        for (long left = mask; left != 0; left &= left - 1) {
            final long at = (long) page * PAGE_BYTES
                    + (long) Long.numberOfTrailingZeros(left) * BLOCK_BYTES
                    + random.nextInt(BLOCK_BYTES / Long.BYTES) * (long) Long.BYTES;
            final MemorySegment memory = even.segment();
            memory.set(ValueLayout.JAVA_LONG, at, ~memory.get(ValueLayout.JAVA_LONG, at));
        }
    }

    /** The version of this pass. */
    MemorySegment guest() {
        return (order.pass() & 1) == 0 ? even.segment() : odd.segment();
    }

    /** The version that differs from the shadow as it was at first, and stays for who leaves the shadow alone. */
    MemorySegment changedGuest() {
        return even.segment();
    }

    MemorySegment shadow() {
        return shadowMemory.segment();
    }

    /** Hands out the next pages to look at; {@link #guest()} is asked before. */
    PageOrder order() {
        return order;
    }

    /** Room for all blocks of a batch. */
    MemorySegment out() {
        return out;
    }

    /** Room for the masks of a batch. */
    MemorySegment masks() {
        return masks;
    }

    @Override
    public void close() {
        even.close();
        odd.close();
        shadowMemory.close();
        arena.close();
    }
}
