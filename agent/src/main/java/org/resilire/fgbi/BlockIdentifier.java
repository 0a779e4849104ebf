package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;

/**
 * Finds the blocks of a page that changed since the page was last captured, and copies them. (FGBI, OPODIS 2011.) Not
 * thread-safe.
 */
public interface BlockIdentifier extends AutoCloseable {

    /**
     * Captures one page as a page record. Safe while the guest writes to the page: what is recorded is what the identifier
     * remembers, and a write that raced is reported by the dirty tracker again.
     *
     * @param page index of the page
     * @param out receives the record; {@link org.resilire.codec.PageRecord#MAX_BYTES} must be free from {@code outOffset}
     * @return length of the record, 0 if nothing changed
     */
    int capture(long page, MemorySegment out, long outOffset);

    /** Forgets all that was captured: the peer's memory is all zero again. */
    void reset();

    @Override
    void close();
}
