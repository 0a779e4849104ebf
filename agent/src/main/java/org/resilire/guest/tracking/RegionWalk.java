package org.resilire.guest.tracking;

import static org.resilire.guest.GuestMemory.PAGE_SHIFT;

import org.resilire.guest.GuestException;
import org.resilire.guest.PageRuns;
import org.resilire.linux.RegionBuffer;

/**
 * Walks a guest's RAM in another process with one kernel call for each bufferful of regions, and hands them on as page runs.
 * Regions that were found (and, by then, protected again) but did not fit into the caller's list wait here for the next
 * call: none may be lost. Allocates nothing after construction. Not thread-safe.
 */
final class RegionWalk implements AutoCloseable {

    /** Regions a call can return; more cost another call, not a loss. */
    private static final int REGIONS_PER_SCAN = 8192;

    /** The kernel's side. */
    interface Scanner {
        /** Fills {@code into} with regions of {@code [start, end)}, ascending, and returns their number. */
        int scan(long start, long end, RegionBuffer into);

        /** Where the last scan stopped. */
        long walkEnd();
    }

    private final RamMapping ram;
    private final Scanner scanner;
    private final RegionBuffer regions;

    private int range;
    private long cursor;
    private int regionRange;
    private int regionCount;
    private int nextRegion;

    RegionWalk(final RamMapping ram, final Scanner scanner) {
        this(ram, scanner, REGIONS_PER_SCAN);
    }

    RegionWalk(final RamMapping ram, final Scanner scanner, final int regionsPerScan) {
        this.ram = ram;
        this.scanner = scanner;
        regions = new RegionBuffer(regionsPerScan);
        restart();
    }

    /** Forgets what waits and starts from the first page. */
    void restart() {
        range = 0;
        cursor = ram.start(0);
        regionCount = 0;
        nextRegion = 0;
    }

    /** True while a walk is under way. */
    boolean isUnderWay() {
        return range != 0 || cursor != ram.start(0) || nextRegion < regionCount;
    }

    /** Goes on walking; true at the end of RAM, false when {@code into} is full. */
    boolean walk(final PageRuns into) {
        while (true) {
            while (nextRegion < regionCount) {
                if (into.isFull()) {
                    return false;
                }
                final long start = regions.start(nextRegion);
                into.add(ram.pageAt(regionRange, start), (regions.end(nextRegion) - start) >>> PAGE_SHIFT);
                nextRegion++;
            }
            if (range == ram.size()) {
                restart();
                return true;
            }
            scanOn();
        }
    }

    private void scanOn() {
        final long end = ram.end(range);
        regionCount = 0;
        nextRegion = 0;
        final int found = scanner.scan(cursor, end, regions);
        regionCount = found;
        regionRange = range;
        final long walkEnd = scanner.walkEnd();
        if (walkEnd <= cursor || walkEnd > end) {
            throw new GuestException(String.format(
                    "the kernel's scan of [%#x, %#x) in process %d stopped at %#x", cursor, end, ram.pid(), walkEnd));
        }
        cursor = walkEnd;
        if (cursor == end && ++range < ram.size()) {
            cursor = ram.start(range);
        }
    }

    @Override
    public void close() {
        regions.close();
    }
}
