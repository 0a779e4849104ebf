package org.resilire.primary;

import java.util.function.BooleanSupplier;
import org.resilire.epoch.EpochWriter;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;
import org.resilire.wire.sbe.EpochKind;

/**
 * Brings an empty replica up to date while the guest runs: all of memory once, then what was written meanwhile, again and again
 * until little is left for the first checkpoint's pause. Blocks that are zero never travel: the replica starts as zeroes. Pages that the
 * guest never wrote are not even looked at, which would give them memory. Used by the checkpoint thread only.
 */
final class Synchroniser {

    /** Told after every epoch of the synchronisation. */
    interface Progress {
        void onPages(long donePages, long totalPages, long zeroPages);
    }

    /** Memory covered by one synchronisation epoch: small enough to be staged and acknowledged often. */
    private static final long PAGES_AN_EPOCH = 4096;

    /** Dirty pages that the first checkpoint may be left with. */
    private static final long FEW_PAGES = 2000;

    /** A guest that writes faster than the link carries never gets down to few pages; its first pause is long instead. */
    private static final int MAX_ROUNDS = 8;

    private final GuestMemory memory;
    private final DirtyTracker tracker;
    private final EpochWriter writer;
    private final PageRuns runs = new PageRuns(Checkpointer.RUNS_AT_A_TIME);

    Synchroniser(final GuestMemory memory, final DirtyTracker tracker, final EpochWriter writer) {
        this.memory = memory;
        this.tracker = tracker;
        this.writer = writer;
    }

    /**
     * Sends everything.
     *
     * @param epochs gives each epoch its number and waits until another may be sent
     */
    void synchronise(final EpochNumbers epochs, final Progress progress, final BooleanSupplier stopped) {
        writer.reset();
        tracker.arm();
        final long total = memory.pageCount();
        long donePages = 0;
        long changedPages = 0;
        while (donePages < total && !stopped.getAsBoolean()) {
            writer.begin(epochs.next(), EpochKind.SYNCHRONISATION);
            donePages = capturePopulated(donePages);
            writer.end();
            changedPages += writer.changedPages();
            progress.onPages(donePages, total, donePages - changedPages);
        }
        for (int round = 0; round < MAX_ROUNDS && !stopped.getAsBoolean(); round++) {
            if (sendDirtyPages(epochs) <= FEW_PAGES) {
                return;
            }
        }
    }

    /** An epoch's worth of pages from this one on; returns the page behind the last. One that is first written behind us is dirty. */
    private long capturePopulated(final long firstPage) {
        final long total = memory.pageCount();
        long page = firstPage;
        long room = PAGES_AN_EPOCH;
        while (page < total && room > 0) {
            final long start = memory.nextPopulatedPage(page);
            if (start == total) {
                return total;
            }
            final long end = Math.min(memory.nextUnpopulatedPage(start), start + room);
            writer.capture(start, end - start);
            room -= end - start;
            page = end;
        }
        return page;
    }

    private long sendDirtyPages(final EpochNumbers epochs) {
        writer.begin(epochs.next(), EpochKind.SYNCHRONISATION);
        long pages = 0;
        boolean complete;
        do {
            complete = tracker.collect(runs);
            writer.capture(runs);
            pages += runs.totalPages();
        } while (!complete);
        writer.end();
        return pages;
    }
}
