package org.resilire.epoch;

import org.resilire.guest.GuestMemory;
import org.resilire.wire.Checksum;

/** Hashes pages of a guest's memory, so that two hosts can compare theirs. */
public final class PageHasher {

    private final GuestMemory memory;

    public PageHasher(final GuestMemory memory) {
        this.memory = memory;
    }

    public long pageCount() {
        return memory.pageCount();
    }

    /** XXH3 of one page as it is now. */
    public long hash(final long page) {
        return Checksum.hash(memory.segment(), page << GuestMemory.PAGE_SHIFT, GuestMemory.PAGE_BYTES);
    }
}
