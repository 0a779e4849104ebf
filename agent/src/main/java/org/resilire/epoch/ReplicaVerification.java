package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.agrona.concurrent.NanoClock;

/**
 * Compares every page of a replica with the hashes that the primary took of its own memory at the same epoch, a slice at a time.
 * Not thread-safe.
 */
public final class ReplicaVerification {

    /** Differing pages that are named. */
    public static final int NAMED_PAGES = 16;

    private static final ValueLayout.OfLong HASH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Pages between two looks at the clock. */
    private static final int PAGES_A_LOOK = 8;

    private final PageHasher replica;
    private final long[] firstDiffering = new long[NAMED_PAGES];
    private MemorySegment expected;
    private long epoch;
    private long nextPage;
    private long differingPages;

    public ReplicaVerification(final PageHasher replica) {
        this.replica = replica;
    }

    /** Begins to compare; the hashes must stay as they are until the end. */
    public void begin(final long ofEpoch, final MemorySegment primaryHashes) {
        epoch = ofEpoch;
        expected = primaryHashes;
        nextPage = 0;
        differingPages = 0;
    }

    /**
     * Goes on comparing.
     *
     * @param clock tells when the slice is over
     * @param deadlineNanos in the clock's time; the slice ends a few microseconds after it
     * @return true once every page was compared
     */
    public boolean compareSlice(final NanoClock clock, final long deadlineNanos) {
        do {
            comparePages(Math.min(replica.pageCount(), nextPage + PAGES_A_LOOK));
        } while (nextPage < replica.pageCount() && clock.nanoTime() - deadlineNanos < 0);
        if (nextPage == replica.pageCount()) {
            expected = null;
            return true;
        }
        return false;
    }

    private void comparePages(final long end) {
        for (long page = nextPage; page < end; page++) {
            if (replica.hash(page) != expected.get(HASH, page * Long.BYTES)) {
                if (differingPages < NAMED_PAGES) {
                    firstDiffering[(int) differingPages] = page;
                }
                differingPages++;
            }
        }
        nextPage = end;
    }

    /** Gives up: the replica is needed for something else. */
    public void cancel() {
        expected = null;
    }

    public boolean inProgress() {
        return expected != null;
    }

    public long epoch() {
        return epoch;
    }

    public long comparedPages() {
        return nextPage;
    }

    public long differingPages() {
        return differingPages;
    }

    /** Index of the n-th differing page, n below {@link #NAMED_PAGES} and {@link #differingPages()}. */
    public long differingPage(final int index) {
        return firstDiffering[index];
    }
}
