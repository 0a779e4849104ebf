package org.resilire.guest.tracking;

import java.util.List;
import java.util.function.LongFunction;
import org.resilire.guest.PageRuns;

/**
 * A walk over all of a guest's RAM that finds written pages, in as many steps as the caller's list of runs needs. One thread at
 * a time.
 */
interface PageWalk extends AutoCloseable {

    /**
     * A walk that is split over threads if there is enough RAM for more than one.
     *
     * @param threads the caller's included, at least 1
     * @param scanners opens one by process id; a walk has one for each of its parts, and closes it
     */
    static PageWalk over(final RamMapping ram, final int threads, final LongFunction<RegionScanner> scanners) {
        final List<RamMapping> parts = threads == 1 ? List.of(ram) : ram.split(threads * SplitWalk.PARTS_PER_THREAD);
        return parts.size() == 1
                ? new RegionWalk(ram, scanners.apply(ram.pid()))
                : SplitWalk.over(parts, threads, scanners);
    }

    /** What a mechanism's name is followed by for users: nothing, or for example {@code , 2 threads}. */
    String description();

    /** Forgets what waits and starts from the first page. */
    void restart();

    /** True while a walk is under way. */
    boolean isUnderWay();

    /** Goes on walking; true at the end of RAM, false when {@code into} is full. */
    boolean walk(PageRuns into);

    @Override
    void close();
}
