package org.resilire.guest.tracking;

import org.resilire.linux.PageMap;
import org.resilire.linux.RegionBuffer;

/** Pages written since they were last write-protected, which it protects again. */
record WrittenScanner(PageMap pageMap) implements RegionScanner {

    static RegionScanner open(final long pid) {
        return new WrittenScanner(PageMap.open(pid));
    }

    @Override
    public int scan(final long start, final long end, final RegionBuffer into) {
        return pageMap.scanWritten(start, end, into, true);
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
