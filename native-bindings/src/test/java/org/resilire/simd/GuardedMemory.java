package org.resilire.simd;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.GuardPages;

/** Copies of byte arrays that end exactly at, or begin right behind, a page that must not be touched. */
final class GuardedMemory implements AutoCloseable {
    private final GuardPages pages;

    GuardedMemory(long roomBytes) {
        pages = new GuardPages(roomBytes);
    }

    /** Reading or writing one byte behind its end crashes the test. */
    MemorySegment flushWithEnd(byte[] content) {
        MemorySegment all = pages.segment();
        return all.asSlice(all.byteSize() - content.length).copyFrom(MemorySegment.ofArray(content));
    }

    /** Reading or writing one byte before its start crashes the test. */
    MemorySegment flushWithStart(byte[] content) {
        return pages.segment().asSlice(0, content.length).copyFrom(MemorySegment.ofArray(content));
    }

    @Override
    public void close() {
        pages.close();
    }
}
