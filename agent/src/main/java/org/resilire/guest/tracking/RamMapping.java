package org.resilire.guest.tracking;

import static org.resilire.guest.GuestMemory.PAGE_SHIFT;

import java.util.Comparator;
import java.util.List;
import org.resilire.guest.GuestException;
import org.resilire.linux.MemoryMaps.Mapping;

/**
 * Where a process has mapped the file that is a guest's RAM: usually one range, several where the kernel has split it.
 *
 * <pre>
 *   file offset   0 ─────────── 0x4000000 ─── …       page index = file offset / 4096
 *   address       0x7f7af3fff000 ──────────── …       in the process's address space
 * </pre>
 *
 * Ranges are in order of file offset, so that walking them yields ascending pages. Immutable.
 */
public final class RamMapping {

    private final long pid;
    private final long[] starts;
    private final long[] ends;
    private final long[] firstPages;

    private RamMapping(final long pid, final List<Mapping> ordered) {
        this.pid = pid;
        starts = ordered.stream().mapToLong(Mapping::start).toArray();
        ends = ordered.stream().mapToLong(Mapping::end).toArray();
        firstPages = ordered.stream()
                .mapToLong(mapping -> mapping.fileOffset() >>> PAGE_SHIFT)
                .toArray();
    }

    /**
     * Takes what a process has mapped.
     *
     * @param mappings all of its mappings of the RAM file, at least one
     * @throws GuestException if it maps a page twice: a write through either would have to be found
     */
    public static RamMapping of(final long pid, final List<Mapping> mappings) {
        final List<Mapping> ordered = mappings.stream()
                .sorted(Comparator.comparingLong(Mapping::fileOffset))
                .toList();
        long mappedTo = 0;
        for (final Mapping mapping : ordered) {
            if (mapping.fileOffset() < mappedTo) {
                throw new GuestException("process " + pid + " maps " + mapping.path() + " twice at file offset "
                        + mapping.fileOffset() + ": its writes cannot be attributed");
            }
            mappedTo = mapping.fileOffset() + mapping.lengthBytes();
        }
        return new RamMapping(pid, ordered);
    }

    public long pid() {
        return pid;
    }

    /** How many ranges there are. */
    public int size() {
        return starts.length;
    }

    /** First address of a range. */
    public long start(final int index) {
        return starts[index];
    }

    /** Address behind a range. */
    public long end(final int index) {
        return ends[index];
    }

    public long lengthBytes(final int index) {
        return ends[index] - starts[index];
    }

    /** Page of the RAM file at an address within a range. */
    public long pageAt(final int index, final long address) {
        return firstPages[index] + ((address - starts[index]) >>> PAGE_SHIFT);
    }
}
