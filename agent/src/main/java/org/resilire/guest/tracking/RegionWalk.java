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
final class RegionWalk implements PageWalk {

    /** Regions a call can return; more cost another call, not a loss. */
    private static final int REGIONS_PER_SCAN = 8192;

    private final RamMapping ram;
    private final RegionScanner scanner;
    private final RegionBuffer regions;

    private int range;
    private long cursor;
    private int regionRange;
    private int regionCount;
    private int nextRegion;

    RegionWalk(final RamMapping ram, final RegionScanner scanner) {
        this(ram, scanner, REGIONS_PER_SCAN);
    }

    RegionWalk(final RamMapping ram, final RegionScanner scanner, final int regionsPerScan) {
        this.ram = ram;
        this.scanner = scanner;
        regions = new RegionBuffer(regionsPerScan);
        restart();
    }

    @Override
    public String description() {
        return "";
    }

    @Override
    public void restart() {
        range = 0;
        cursor = ram.start(0);
        regionCount = 0;
        nextRegion = 0;
    }

    @Override
    public boolean isUnderWay() {
        return range != 0 || cursor != ram.start(0) || nextRegion < regionCount;
    }

    /** Scans until something waits to be handed on, or to the end. */
    void prefetch() {
        while (nextRegion == regionCount && range < ram.size()) {
            scanOn();
        }
    }

    @Override
    public boolean walk(final PageRuns into) {
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
        scanner.close();
        regions.close();
    }
}
