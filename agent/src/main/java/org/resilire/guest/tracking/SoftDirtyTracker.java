package org.resilire.guest.tracking;

import java.util.function.LongSupplier;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.PageRuns;
import org.resilire.linux.PageMap;
import org.resilire.linux.RegionBuffer;
import org.resilire.linux.SoftDirty;

/**
 * Written pages by the kernel's soft-dirty bits ({@code admin-guide/mm/soft-dirty}). Reading and clearing are two steps, and
 * clearing is for the whole process: a write between them would be lost. So this clears only when one pause of the guest
 * lasted from the first page of a walk to its last; collected while the guest runs, pages are reported again the next time.
 *
 * <p>The bits of a shared mapping do not survive swapping: the probe does not choose this on a host with swap.
 */
public final class SoftDirtyTracker implements DirtyTracker {

    private final RamMapping ram;
    private final LongSupplier pauseNumber;
    private final PageWalk walk;
    private long pauseOfWalk;

    private SoftDirtyTracker(final RamMapping ram, final LongSupplier pauseNumber, final PageWalk walk) {
        this.ram = ram;
        this.pauseNumber = pauseNumber;
        this.walk = walk;
    }

    /**
     * Opens it.
     *
     * @param scanThreads that read the bits, the collecting one included
     * @param pauseNumber asked by the collecting thread: which pause of the guest this is, 0 while it runs
     */
    static SoftDirtyTracker open(final RamMapping ram, final int scanThreads, final LongSupplier pauseNumber) {
        return new SoftDirtyTracker(
                ram, pauseNumber, PageWalk.over(ram, scanThreads, pid -> new SoftDirtyScanner(PageMap.open(pid))));
    }

    @Override
    public String mechanism() {
        return "soft-dirty" + walk.description();
    }

    @Override
    public void arm() {
        walk.restart();
        SoftDirty.clear(ram.pid());
    }

    @Override
    public boolean collect(final PageRuns into) {
        final long pause = pauseNumber.getAsLong();
        if (!walk.isUnderWay()) {
            pauseOfWalk = pause;
        }
        into.clear();
        final boolean isComplete = walk.walk(into);
        if (isComplete && pause != 0 && pause == pauseOfWalk) {
            SoftDirty.clear(ram.pid());
        }
        return isComplete;
    }

    @Override
    public void close() {
        walk.close();
    }

    private record SoftDirtyScanner(PageMap pageMap) implements RegionScanner {

        @Override
        public int scan(final long start, final long end, final RegionBuffer into) {
            return pageMap.scanSoftDirty(start, end, into);
        }

        @Override
        public long walkEnd() {
            return pageMap.walkEnd();
        }

        @Override
        public void close() {
            pageMap.close();
        }
    }
}
