package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.AnonymousMemory;

/**
 * What the backup's copy of a memory will hold once it has applied all that was encoded so far: the old versions that deltas and
 * references are made from, and that changed blocks are told by. As large as that memory; only what was ever not zero is really
 * used. One thread writes at a time.
 */
public final class SentMemory implements AutoCloseable {

    private final AnonymousMemory memory;

    /** @param of what this is the copy of, for messages */
    public SentMemory(final String of, final long lengthBytes) {
        memory = AnonymousMemory.reserveHuge("the copy of " + of + " as it was sent", lengthBytes);
    }

    public MemorySegment segment() {
        return memory.segment();
    }

    public long lengthBytes() {
        return memory.lengthBytes();
    }

    /** Makes it all zero, as the backup's memory is when a session begins. Nobody may be reading or writing it. */
    public void reset() {
        memory.discard(0, memory.lengthBytes());
    }

    @Override
    public void close() {
        memory.close();
    }
}
