package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Which pages of a process were written: {@code /proc/PID/pagemap} with {@code PAGEMAP_SCAN} (Linux 6.7), or its soft-dirty
 * bits. Addresses are the process's own and page-aligned. One thread at a time; scans allocate nothing.
 */
public final class PageMap implements AutoCloseable {
    private static final int ENTRIES_PER_READ = 32 * 1024;

    private final FileDescriptor descriptor;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment argument = arena.allocate(PageMapAbi.PM_SCAN_ARG);
    private MemorySegment entries = MemorySegment.NULL;
    private long walkEnd;

    private PageMap(FileDescriptor descriptor) {
        this.descriptor = descriptor;
        argument.set(JAVA_LONG, 0, PageMapAbi.PM_SCAN_ARG.byteSize());
    }

    public static PageMap open(long pid) {
        return new PageMap(FileDescriptor.open(Path.of("/proc/" + pid + "/pagemap"), Fcntl.O_RDONLY));
    }

    /** Whether this kernel has the ioctl. */
    public static boolean isPagemapScanSupported() {
        try (PageMap own = open(ProcessHandle.current().pid());
                RegionBuffer one = new RegionBuffer(1)) {
            return own.scan(0, NativeMemory.PAGE_BYTES, one, 0) >= 0;
        }
    }

    /**
     * One {@code PAGEMAP_SCAN}: puts the written regions of a range into {@code regions} and returns their number. It stops
     * early when the buffer is full; {@link #walkEnd} is where to go on.
     *
     * @param protectAgain write-protects what it reports, atomically, so that the next scan reports only later writes; fails
     *     with {@code EPERM} unless {@link UserFaultFd} covers the whole range
     */
    public int scanWritten(long startAddress, long endAddress, RegionBuffer regions, boolean protectAgain) {
        long flags = protectAgain ? PageMapAbi.PM_SCAN_WP_MATCHING | PageMapAbi.PM_SCAN_CHECK_WPASYNC : 0;
        int result = scan(startAddress, endAddress, regions, flags);
        if (result < 0) {
            throw scanFailure(result, startAddress, endAddress);
        }
        return result;
    }

    private int scan(long startAddress, long endAddress, RegionBuffer regions, long flags) {
        NativeMemory.requireAlive(argument);
        argument.set(JAVA_LONG, PageMapAbi.FLAGS, flags);
        argument.set(JAVA_LONG, PageMapAbi.START, startAddress);
        argument.set(JAVA_LONG, PageMapAbi.END, endAddress);
        argument.set(JAVA_LONG, PageMapAbi.WALK_END, startAddress);
        argument.set(JAVA_LONG, PageMapAbi.VEC, regions.address());
        argument.set(JAVA_LONG, PageMapAbi.VEC_LEN, regions.capacity());
        argument.set(JAVA_LONG, PageMapAbi.CATEGORY_MASK, PageMapAbi.PAGE_IS_WRITTEN);
        argument.set(JAVA_LONG, PageMapAbi.RETURN_MASK, PageMapAbi.PAGE_IS_WRITTEN);
        int result = Ioctl.ioctl(descriptor.number(), PageMapAbi.PAGEMAP_SCAN, argument.address());
        walkEnd = argument.get(JAVA_LONG, PageMapAbi.WALK_END);
        return result;
    }

    private RuntimeException scanFailure(int result, long startAddress, long endAddress) {
        if (result == -Errno.ENOTTY.number()) {
            return new MissingKernelFeatureException("PAGEMAP_SCAN", "it needs Linux 6.7 or newer");
        }
        String range = String.format(" [%#x, %#x)", startAddress, endAddress);
        String advice = result == -Errno.EPERM.number()
                ? "part of the range is not registered for asynchronous write protection (UserFaultFd.registerWriteProtect)"
                : "";
        return LinuxException.failure(result, "PAGEMAP_SCAN", descriptor.object() + range, advice);
    }

    /** Address at which the last scan stopped; equal to its end address when it saw everything. */
    public long walkEnd() {
        return walkEnd;
    }

    /** Whether the page at an address is soft-dirty; only meaningful where {@link SoftDirty#isSupported}. */
    public boolean isSoftDirty(long address) {
        readEntries(address, 1);
        return (entries.get(JAVA_LONG, 0) & PageMapAbi.ENTRY_SOFT_DIRTY) != 0;
    }

    /** As {@link #scanWritten}, for soft-dirty pages; protects nothing: {@link SoftDirty#clear} starts the next round. */
    public int scanSoftDirty(long startAddress, long endAddress, RegionBuffer regions) {
        int count = 0;
        long regionStart = -1;
        long address = startAddress;
        while (address < endAddress) {
            int pages = readEntries(address, (endAddress - address) / NativeMemory.PAGE_BYTES);
            MemorySegment read = entries;
            for (int i = 0; i < pages; i++, address += NativeMemory.PAGE_BYTES) {
                boolean dirty = (read.get(JAVA_LONG, (long) i * Long.BYTES) & PageMapAbi.ENTRY_SOFT_DIRTY) != 0;
                if (dirty && regionStart < 0) {
                    if (count == regions.capacity()) {
                        walkEnd = address;
                        return count;
                    }
                    regionStart = address;
                } else if (!dirty && regionStart >= 0) {
                    regions.region(count++, regionStart, address);
                    regionStart = -1;
                }
            }
        }
        if (regionStart >= 0) {
            regions.region(count++, regionStart, address);
        }
        walkEnd = address;
        return count;
    }

    private int readEntries(long address, long pages) {
        if (entries.byteSize() == 0) {
            entries = arena.allocate(JAVA_LONG, ENTRIES_PER_READ);
        }
        NativeMemory.requireAlive(entries);
        long wantedBytes = Math.min(pages, ENTRIES_PER_READ) * Long.BYTES;
        long position = address / NativeMemory.PAGE_BYTES * Long.BYTES;
        long readBytes = Unistd.pread(descriptor.number(), entries.address(), wantedBytes, position);
        LinuxException.check(readBytes, "pread", descriptor.object());
        if (readBytes == 0) {
            throw new LinuxException(
                    "pread", descriptor.object(), Errno.ESRCH, "the process has ended or has no such address");
        }
        return (int) (readBytes / Long.BYTES);
    }

    @Override
    public void close() {
        descriptor.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
