package org.resilire.guest.tracking;

import org.resilire.guest.DirtyTracker;
import org.resilire.guest.PageRuns;
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

    /** As {@link #mechanism()} says it, which adds how many threads scan if there are several. */
    public static final String MECHANISM = "userfaultfd-wp-async";

    private final RamMapping ram;
    private final UserFaultFd userFaultFd;
    private final PageWalk walk;
    private final String mechanism;

    private WriteProtectTracker(final RamMapping ram, final UserFaultFd userFaultFd, final PageWalk walk) {
        this.ram = ram;
        this.userFaultFd = userFaultFd;
        this.walk = walk;
        mechanism = MECHANISM + walk.description();
    }

    /**
     * Injects a userfaultfd into the process and registers its mapping of guest RAM. The process is stopped for a fraction
     * of a millisecond.
     *
     * @param scanThreads that look for written pages, the collecting one included
     * @throws org.resilire.linux.LinuxException {@code EPERM} without the right to ptrace it, {@code EBUSY} if somebody has
     *     registered that memory already
     * @throws org.resilire.linux.MissingKernelFeatureException if the kernel is too old
     */
    static WriteProtectTracker open(final RamMapping ram, final int scanThreads) {
        final UserFaultFd userFaultFd = UserFaultFd.injectInto(ram.pid());
        try {
            userFaultFd.enableAsyncWriteProtect();
            for (int i = 0; i < ram.size(); i++) {
                userFaultFd.registerWriteProtect(ram.start(i), ram.lengthBytes(i));
            }
            return new WriteProtectTracker(ram, userFaultFd, PageWalk.over(ram, scanThreads, WrittenScanner::open));
        } catch (final RuntimeException e) {
            userFaultFd.close();
            throw e;
        }
    }

    @Override
    public String mechanism() {
        return mechanism;
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
        userFaultFd.close();
    }
}
