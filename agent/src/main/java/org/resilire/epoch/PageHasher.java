package org.resilire.epoch;

import java.lang.foreign.Arena;
import org.resilire.guest.GuestMemory;
import org.resilire.wire.Checksum;

/**
 * Hashes pages of a guest's memory, so that two hosts can compare theirs. Walks in ascending order are quick, and leave pages without
 * memory of their own without. Not thread-safe.
 */
public final class PageHasher {

    private final GuestMemory memory;
    private final long hashOfZeros;
    private long lastPage = -1;

    /** Up to here the pages behind the last one are as {@link #isUnpopulated} says. */
    private long endOfKnown;

    private boolean isUnpopulated;

    public PageHasher(final GuestMemory memory) {
        this.memory = memory;
        try (Arena arena = Arena.ofConfined()) {
            hashOfZeros = Checksum.hash(arena.allocate(GuestMemory.PAGE_BYTES), 0, GuestMemory.PAGE_BYTES);
        }
    }

    public long pageCount() {
        return memory.pageCount();
    }

    /**
     * XXH3 of one page as it is now; in a walk over ascending pages, of one without memory, as it was at an earlier page of that walk.
     */
    public long hash(final long page) {
        if (page <= lastPage || page >= endOfKnown) {
            look(page);
        }
        lastPage = page;
        return isUnpopulated
                ? hashOfZeros
                : Checksum.hash(memory.segment(), page << GuestMemory.PAGE_SHIFT, GuestMemory.PAGE_BYTES);
    }

    private void look(final long page) {
        final long populated = memory.nextPopulatedPage(page);
        isUnpopulated = populated > page;
        endOfKnown = isUnpopulated ? populated : memory.nextUnpopulatedPage(page);
    }
}
