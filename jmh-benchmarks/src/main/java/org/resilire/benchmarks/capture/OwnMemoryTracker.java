package org.resilire.benchmarks.capture;

import java.lang.foreign.MemorySegment;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;
import org.resilire.linux.PageMap;
import org.resilire.linux.RegionBuffer;
import org.resilire.linux.UserFaultFd;

/**
 * What the agent's write-protect tracker asks of the kernel, asked about a mapping of this process: the agent's own needs another
 * process to look into.
 */
final class OwnMemoryTracker implements DirtyTracker {

    private static final int REGIONS_PER_SCAN = 8192;

    private final long start;
    private final long end;
    private final UserFaultFd userFaultFd;
    private final PageMap pageMap;
    private final RegionBuffer regions = new RegionBuffer(REGIONS_PER_SCAN);

    /** @param written a mapping of shared memory through which it is written */
    OwnMemoryTracker(final MemorySegment written) {
        start = written.address();
        end = start + written.byteSize();
        userFaultFd = UserFaultFd.ofThisProcess();
        userFaultFd.enableAsyncWriteProtect();
        userFaultFd.registerWriteProtect(start, end - start);
        pageMap = PageMap.open(ProcessHandle.current().pid());
    }

    @Override
    public String mechanism() {
        return "userfaultfd-wp-async";
    }

    @Override
    public void arm() {
        userFaultFd.writeProtect(start, end - start);
    }

    @Override
    public boolean collect(final PageRuns into) {
        into.clear();
        for (long at = start; at < end; at = pageMap.walkEnd()) {
            final int count = pageMap.scanWritten(at, end, regions, true);
            for (int i = 0; i < count; i++) {
                if (into.isFull()) {
                    throw new IllegalStateException("more runs than a benchmark has dirty pages");
                }
                final long first = regions.start(i);
                into.add(
                        (first - start) >>> GuestMemory.PAGE_SHIFT,
                        (regions.end(i) - first) >>> GuestMemory.PAGE_SHIFT);
            }
        }
        return true;
    }

    @Override
    public void close() {
        regions.close();
        pageMap.close();
        userFaultFd.close();
    }
}
