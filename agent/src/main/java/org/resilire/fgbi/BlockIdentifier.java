package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;

/**
 * Finds the blocks of a page that changed since the page was last captured, and copies them. (FGBI, OPODIS 2011.) Not
 * thread-safe.
 */
public interface BlockIdentifier extends AutoCloseable {

    /**
     * Captures one page as a record of whole blocks or of a zero page. Safe while the guest writes to the page: what is recorded is
     * what counts as sent from then on, and a write that raced is reported by the dirty tracker again.
     *
     * @param page index of the page
     * @param out receives the record; {@link org.resilire.codec.PageRecord#MAX_BYTES} must be free from {@code outOffset}
     * @return length of the record, 0 if nothing changed
     */
    int capture(long page, MemorySegment out, long outOffset);

    /**
     * Forgets all that was captured: the peer's memory is all zero again. Nothing that was captured may be on its way to be encoded.
     */
    void reset();

    /** Memory that it needs to tell what changed, at most and without what it shares with an encoder; in bytes. */
    long memoryBytes();

    @Override
    void close();
}
