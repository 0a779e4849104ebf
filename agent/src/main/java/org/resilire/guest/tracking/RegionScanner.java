package org.resilire.guest.tracking;

import org.resilire.linux.RegionBuffer;

/** The kernel's side of a walk. One thread at a time. */
interface RegionScanner extends AutoCloseable {

    /** Fills {@code into} with regions of {@code [start, end)}, ascending, and returns their number. */
    int scan(long start, long end, RegionBuffer into);

    /** Where the last scan stopped. */
    long walkEnd();

    @Override
    void close();
}
