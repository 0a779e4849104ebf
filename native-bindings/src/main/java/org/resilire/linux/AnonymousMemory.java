package org.resilire.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Private zeroed memory from {@code mmap}, page-aligned and of any size. Address space is reserved at once, pages are
 * taken on first touch and not counted against the overcommit limit ({@code MAP_NORESERVE}). Any thread may use the segment.
 */
public final class AnonymousMemory implements AutoCloseable {
    private static final long HUGE_PAGE_BYTES = 2L << 20;
    private static final int FLAGS = MMan.MAP_PRIVATE | MMan.MAP_ANONYMOUS | MMan.MAP_NORESERVE;

    private final String purpose;
    private final Arena arena;
    private final MemorySegment segment;

    private AnonymousMemory(String purpose, Arena arena, MemorySegment segment) {
        this.purpose = purpose;
        this.arena = arena;
        this.segment = segment;
    }

    /**
     * Reserves at least a page, in pages of the usual size.
     *
     * @param purpose for error messages, e.g. {@code "shadow of vm0"}
     */
    public static AnonymousMemory reserve(String purpose, long lengthBytes) {
        NativeMemory.requirePositive(lengthBytes, purpose);
        return of(purpose, map(purpose, lengthBytes), lengthBytes);
    }

    /**
     * The same, aligned to 2 MiB and with transparent huge pages advised. Advice only: a kernel without them, or one
     * that has none left, gives small pages.
     */
    public static AnonymousMemory reserveHuge(String purpose, long lengthBytes) {
        NativeMemory.requirePositive(lengthBytes, purpose);
        long pagesBytes = alignUp(lengthBytes, NativeMemory.PAGE_BYTES);
        long roomBytes = pagesBytes + HUGE_PAGE_BYTES;
        long room = map(purpose, roomBytes);
        long address = alignUp(room, HUGE_PAGE_BYTES);
        unmap(room, address - room);
        unmap(address + pagesBytes, room + roomBytes - (address + pagesBytes));
        MMan.madvise(address, pagesBytes, MMan.MADV_HUGEPAGE);
        return of(purpose, address, lengthBytes);
    }

    private static long map(String purpose, long lengthBytes) {
        long address = MMan.mmap(lengthBytes, MMan.PROT_READ | MMan.PROT_WRITE, FLAGS, -1);
        return LinuxException.check(address, "mmap", lengthBytes + " bytes for " + purpose);
    }

    private static void unmap(long address, long lengthBytes) {
        if (lengthBytes > 0) {
            MMan.munmap(address, lengthBytes);
        }
    }

    private static AnonymousMemory of(String purpose, long address, long lengthBytes) {
        Arena arena = Arena.ofShared();
        return new AnonymousMemory(purpose, arena, NativeMemory.ofMapping(address, lengthBytes, arena));
    }

    private static long alignUp(long value, long unit) {
        return (value + unit - 1) & -unit;
    }

    public MemorySegment segment() {
        return segment;
    }

    public long lengthBytes() {
        return segment.byteSize();
    }

    /** Gives whole pages back ({@code MADV_DONTNEED}); they read as zeros afterwards. The offset must be page-aligned. */
    public void discard(long offset, long lengthBytes) {
        Objects.checkFromIndexSize(offset, lengthBytes, segment.byteSize());
        NativeMemory.requireAlive(segment);
        int result = MMan.madvise(segment.address() + offset, lengthBytes, MMan.MADV_DONTNEED);
        LinuxException.check(result, "madvise", purpose);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
