package org.resilire.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * All pages of a memory in a random order, in batches, again and again: the order in which a guest's dirty pages lie. The
 * list is native, so that C walks the same one.
 */
public final class PageOrder {

    /** Pages a benchmark deals with in one invocation, and C in one call. */
    public static final int BATCH_PAGES = 64;

    private static final int PAGE_BYTES = 4096;
    private static final int BATCH_BYTES = BATCH_PAGES * Long.BYTES;

    private final MemorySegment offsets;
    private long next;
    private long pass;

    /** @param pages a multiple of {@link #BATCH_PAGES} */
    public PageOrder(final Arena arena, final int pages, final SplittableRandom random) {
        offsets = arena.allocate(ValueLayout.JAVA_LONG, pages);
        for (int i = 0; i < pages; i++) {
            // Inside-out shuffle.
            final int j = random.nextInt(i + 1);
            offsets.setAtIndex(ValueLayout.JAVA_LONG, i, offsets.getAtIndex(ValueLayout.JAVA_LONG, j));
            offsets.setAtIndex(ValueLayout.JAVA_LONG, j, (long) i * PAGE_BYTES);
        }
    }

    /** Where the next batch of offsets begins in {@link #offsets()}. */
    public long nextBatch() {
        final long batch = next;
        next = batch + BATCH_BYTES;
        if (next == offsets.byteSize()) {
            next = 0;
            pass++;
        }
        return batch;
    }

    /** How often all pages have been handed out. */
    public long pass() {
        return pass;
    }

    /** Byte offsets of pages, 8 bytes each. */
    public MemorySegment offsets() {
        return offsets;
    }

    /** Byte offset of page {@code i} of a batch. */
    public long pageOffset(final long batch, final int i) {
        return offsets.get(ValueLayout.JAVA_LONG, batch + (long) i * Long.BYTES);
    }
}
