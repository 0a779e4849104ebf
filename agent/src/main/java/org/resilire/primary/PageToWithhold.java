package org.resilire.primary;

import java.lang.foreign.MemorySegment;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;

/**
 * For tests: finds a page that makes the replica wrong if it is left out. That a page was written is not enough: it may hold what it
 * held before, or soon again. So it is one that has changed at several looks in a row, like the one in which a kernel counts the
 * ticks of its clock. Checkpoint thread only.
 */
final class PageToWithhold {

    /** No page was found yet. */
    static final long NONE = -1;

    private static final int CHANGES_NEEDED = 4;

    private final MemorySegment memory;
    private final byte[] content = new byte[GuestMemory.PAGE_BYTES];
    private long candidate = NONE;
    private int changes;
    private long page = NONE;

    /** @param memory the guest's */
    PageToWithhold(final MemorySegment memory) {
        this.memory = memory;
    }

    /** Returns the page, once there is one always the same, or {@link #NONE}; to be asked with the dirty pages of each look in turn. */
    long find(final PageRuns dirty) {
        if (page == NONE && dirty.size() > 0) {
            if (contains(dirty, candidate) && hasChanged()) {
                changes++;
            } else {
                candidate = nextAfter(candidate, dirty);
                changes = 0;
            }
            if (changes == CHANGES_NEEDED) {
                page = candidate;
            }
            MemorySegment.copy(slice(), 0, MemorySegment.ofArray(content), 0, content.length);
        }
        return page;
    }

    private boolean hasChanged() {
        return slice().mismatch(MemorySegment.ofArray(content)) >= 0;
    }

    private MemorySegment slice() {
        return memory.asSlice(candidate * GuestMemory.PAGE_BYTES, GuestMemory.PAGE_BYTES);
    }

    private static boolean contains(final PageRuns runs, final long page) {
        for (int i = 0; i < runs.size(); i++) {
            if (runs.firstPage(i) <= page && page < runs.firstPage(i) + runs.pageCount(i)) {
                return true;
            }
        }
        return false;
    }

    /** From the last page on with the first one again. */
    private static long nextAfter(final long page, final PageRuns runs) {
        for (int i = 0; i < runs.size(); i++) {
            if (page + 1 < runs.firstPage(i) + runs.pageCount(i)) {
                return Math.max(page + 1, runs.firstPage(i));
            }
        }
        return runs.firstPage(0);
    }
}
