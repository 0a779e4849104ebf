package org.resilire.guest.tracking;

import static org.resilire.guest.GuestMemory.PAGE_SHIFT;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
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

    /** What one page table of the lowest level maps; the kernel locks each for itself. */
    private static final long PAGE_TABLE_BYTES = 2L << 20;

    private final long pid;
    private final long[] starts;
    private final long[] ends;
    private final long[] firstPages;

    private RamMapping(final long pid, final List<Mapping> ordered) {
        this(
                pid,
                ordered.stream().mapToLong(Mapping::start).toArray(),
                ordered.stream().mapToLong(Mapping::end).toArray(),
                ordered.stream()
                        .mapToLong(mapping -> mapping.fileOffset() >>> PAGE_SHIFT)
                        .toArray());
    }

    private RamMapping(final long pid, final long[] starts, final long[] ends, final long[] firstPages) {
        this.pid = pid;
        this.starts = starts;
        this.ends = ends;
        this.firstPages = firstPages;
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

    /**
     * Parts of about the same size, in order, that share no page table: their boundaries lie at multiples of 2 MiB of address.
     *
     * @param count how many are wanted; fewer come of little RAM
     */
    List<RamMapping> split(final int count) {
        long totalBytes = 0;
        for (int i = 0; i < size(); i++) {
            totalBytes += lengthBytes(i);
        }
        final List<RamMapping> parts = new ArrayList<>();
        int range = 0;
        long address = starts[0];
        long bytesBefore = 0;
        for (int part = 1; part <= count; part++) {
            // Divided first: the product of a large guest and many parts may not fit.
            final long wantedBytes =
                    part == count ? totalBytes : totalBytes / count * part + totalBytes % count * part / count;
            final LongStream.Builder partStarts = LongStream.builder();
            final LongStream.Builder partEnds = LongStream.builder();
            final LongStream.Builder partPages = LongStream.builder();
            boolean isEmpty = true;
            while (range < size() && bytesBefore < wantedBytes) {
                final long end = Math.min(ends[range], roundUp(address + wantedBytes - bytesBefore));
                partStarts.add(address);
                partEnds.add(end);
                partPages.add(pageAt(range, address));
                isEmpty = false;
                bytesBefore += end - address;
                address = end;
                if (end == ends[range] && ++range < size()) {
                    address = starts[range];
                }
            }
            if (!isEmpty) {
                parts.add(new RamMapping(
                        pid,
                        partStarts.build().toArray(),
                        partEnds.build().toArray(),
                        partPages.build().toArray()));
            }
        }
        return parts;
    }

    private static long roundUp(final long address) {
        return (address + PAGE_TABLE_BYTES - 1) & -PAGE_TABLE_BYTES;
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
