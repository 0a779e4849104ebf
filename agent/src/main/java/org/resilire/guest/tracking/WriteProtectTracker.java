package org.resilire.guest.tracking;

import org.resilire.guest.DirtyTracker;
import org.resilire.guest.PageRuns;
import org.resilire.linux.PageMap;
import org.resilire.linux.RegionBuffer;
import org.resilire.linux.UserFaultFd;

/**
 * Written pages by asynchronous userfaultfd write protection ({@code admin-guide/mm/userfaultfd}, Linux 6.7): the kernel
 * clears a page's protection at its first write, without waking anybody, and one {@code PAGEMAP_SCAN} both reads and renews
 * it, atomically for each page. Sees writes through the process's own mapping: its vCPUs (KVM or TCG), its device models,
 * kernel threads that borrow its address space (vhost). Not writes of other processes.
 *
 * <p>When this object or this process ends, the kernel drops the registration and the guest goes on unaffected.
 */
public final class WriteProtectTracker implements DirtyTracker {

    /** As {@link #mechanism()} says it. */
    public static final String MECHANISM = "userfaultfd-wp-async";

    private final RamMapping ram;
    private final UserFaultFd userFaultFd;
    private final PageMap pageMap;
    private final RegionWalk walk;

    private WriteProtectTracker(final RamMapping ram, final UserFaultFd userFaultFd, final PageMap pageMap) {
        this.ram = ram;
        this.userFaultFd = userFaultFd;
        this.pageMap = pageMap;
        walk = new RegionWalk(ram, new WrittenScanner(pageMap));
    }

    /**
     * Injects a userfaultfd into the process and registers its mapping of guest RAM. The process is stopped for a fraction
     * of a millisecond.
     *
     * @throws org.resilire.linux.LinuxException {@code EPERM} without the right to ptrace it, {@code EBUSY} if somebody has
     *     registered that memory already
     * @throws org.resilire.linux.MissingKernelFeatureException if the kernel is too old
     */
    static WriteProtectTracker open(final RamMapping ram) {
        final UserFaultFd userFaultFd = UserFaultFd.injectInto(ram.pid());
        PageMap pageMap = null;
        try {
            userFaultFd.enableAsyncWriteProtect();
            for (int i = 0; i < ram.size(); i++) {
                userFaultFd.registerWriteProtect(ram.start(i), ram.lengthBytes(i));
            }
            pageMap = PageMap.open(ram.pid());
            return new WriteProtectTracker(ram, userFaultFd, pageMap);
        } catch (final RuntimeException e) {
            if (pageMap != null) {
                pageMap.close();
            }
            userFaultFd.close();
            throw e;
        }
    }

    @Override
    public String mechanism() {
        return MECHANISM;
    }

    @Override
    public void arm() {
        walk.restart();
        for (int i = 0; i < ram.size(); i++) {
            userFaultFd.writeProtect(ram.start(i), ram.lengthBytes(i));
        }
    }

    @Override
    public boolean collect(final PageRuns into) {
        into.clear();
        return walk.walk(into);
    }

    @Override
    public void close() {
        walk.close();
        pageMap.close();
        userFaultFd.close();
    }

    private record WrittenScanner(PageMap pageMap) implements RegionWalk.Scanner {

        @Override
        public int scan(final long start, final long end, final RegionBuffer into) {
            return pageMap.scanWritten(start, end, into, true);
        }

        @Override
        public long walkEnd() {
            return pageMap.walkEnd();
        }
    }
}
