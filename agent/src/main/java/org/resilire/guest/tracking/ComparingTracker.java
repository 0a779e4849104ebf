package org.resilire.guest.tracking;

import org.resilire.guest.DirtyTracker;
import org.resilire.guest.PageRuns;

/**
 * Knows nothing and so reports every page: the comparison of blocks that follows finds what changed. Works everywhere and
 * costs a read of all of RAM at each checkpoint.
 */
public final class ComparingTracker implements DirtyTracker {

    private final long pageCount;

    public ComparingTracker(final long pageCount) {
        this.pageCount = pageCount;
    }

    @Override
    public String mechanism() {
        return "compare";
    }

    @Override
    public void arm() {
        // Nothing to arm: every page is always reported.
    }

    @Override
    public boolean collect(final PageRuns into) {
        into.clear();
        into.add(0, pageCount);
        return true;
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
