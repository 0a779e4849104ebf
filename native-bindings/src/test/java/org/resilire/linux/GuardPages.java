package org.resilire.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory between two {@code PROT_NONE} pages; the segment reaches from one to the other. For tests. */
public final class GuardPages implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    public GuardPages(long roomBytes) {
        long page = NativeMemory.PAGE_BYTES;
        long room = (roomBytes + page - 1) & -page;
        long whole = room + 2 * page;
        int flags = MMan.MAP_PRIVATE | MMan.MAP_ANONYMOUS;
        long address = LinuxException.check(
                MMan.mmap(whole, MMan.PROT_READ | MMan.PROT_WRITE, flags, -1), "mmap", "guarded memory");
        LinuxException.check(MMan.mprotect(address, page, MMan.PROT_NONE), "mprotect", "guarded memory");
        LinuxException.check(MMan.mprotect(address + page + room, page, MMan.PROT_NONE), "mprotect", "guarded memory");
        segment = NativeMemory.ofMapping(address, whole, arena).asSlice(page, room);
    }

    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }
}
