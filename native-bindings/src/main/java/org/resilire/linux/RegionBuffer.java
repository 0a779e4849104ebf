package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Off-heap array of address ranges, {@code struct page_region[]} of {@code linux/fs.h}, filled by {@link PageMap}. Which of
 * the entries are valid is the scan's return value. One thread at a time.
 */
public final class RegionBuffer implements AutoCloseable {
    private static final long STRIDE = PageMapAbi.PAGE_REGION.byteSize();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment regions;
    private final int capacity;

    public RegionBuffer(int capacity) {
        if (capacity <= 0) {
            throw new IllegalArgumentException("the capacity of a region buffer must be positive, not " + capacity);
        }
        this.capacity = capacity;
        regions = arena.allocate(PageMapAbi.PAGE_REGION, capacity);
    }

    public int capacity() {
        return capacity;
    }

    /** First address of region {@code i}. */
    public long start(int i) {
        return regions.get(JAVA_LONG, i * STRIDE);
    }

    /** First address behind region {@code i}. */
    public long end(int i) {
        return regions.get(JAVA_LONG, i * STRIDE + PageMapAbi.REGION_END);
    }

    void region(int i, long start, long end) {
        regions.set(JAVA_LONG, i * STRIDE, start);
        regions.set(JAVA_LONG, i * STRIDE + PageMapAbi.REGION_END, end);
    }

    /** For the kernel: it writes at most {@link #capacity} regions there. */
    long address() {
        NativeMemory.requireAlive(regions);
        return regions.address();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
