package org.resilire.guest;

/** A bounded list of runs of consecutive pages, in ascending order. Allocates nothing after construction. Not thread-safe. */
public final class PageRuns {

    private final long[] firstPages;
    private final long[] pageCounts;
    private int size;
    private long totalPages;

    /** @param capacity how many runs fit */
    public PageRuns(final int capacity) {
        firstPages = new long[capacity];
        pageCounts = new long[capacity];
    }

    public void clear() {
        size = 0;
        totalPages = 0;
    }

    /** Appends a run; a run that continues the last one is joined to it. The caller checks {@link #isFull()} first. */
    public void add(final long firstPage, final long pageCount) {
        totalPages += pageCount;
        if (size > 0 && firstPages[size - 1] + pageCounts[size - 1] == firstPage) {
            pageCounts[size - 1] += pageCount;
            return;
        }
        firstPages[size] = firstPage;
        pageCounts[size] = pageCount;
        size++;
    }

    public boolean isFull() {
        return size == firstPages.length;
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return firstPages.length;
    }

    public long firstPage(final int index) {
        return firstPages[index];
    }

    public long pageCount(final int index) {
        return pageCounts[index];
    }

    /** Sum of all runs, in pages. */
    public long totalPages() {
        return totalPages;
    }
}
