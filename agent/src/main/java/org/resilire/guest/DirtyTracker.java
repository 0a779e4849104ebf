package org.resilire.guest;

/**
 * Knows which pages of a guest were written since it was last asked. A page that was written and is not reported is the
 * worst bug this project can have; a page reported though nobody wrote it costs a comparison.
 *
 * <p>Not thread-safe: one thread arms and collects.
 */
public interface DirtyTracker extends AutoCloseable {

    /** The kernel mechanism in use, as shown to users, for example {@code userfaultfd-wp-async}. */
    String mechanism();

    /** Starts tracking: every page counts as clean from here on. */
    void arm();

    /**
     * Reports pages written since they were last reported (or since {@link #arm()}) and tracks them anew, atomically for
     * each page. Safe while the guest runs; complete for an instant only while it is paused.
     *
     * @param into cleared, then filled with runs in ascending order
     * @return true when all of memory was covered; false when {@code into} was full: process it and call again to go on
     */
    boolean collect(PageRuns into);

    @Override
    void close();
}
