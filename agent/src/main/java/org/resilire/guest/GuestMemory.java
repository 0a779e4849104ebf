package org.resilire.guest;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.resilire.linux.MappedFile;

/**
 * A guest's RAM, mapped from the shared file that backs it. Offset {@code n} of the segment is offset {@code n} of the RAM
 * block. Any thread may read; the guest writes at any time unless paused.
 */
public final class GuestMemory implements AutoCloseable {

    /** Size of a page, the unit of dirty tracking. */
    public static final int PAGE_BYTES = 4096;

    /** log2 of {@link #PAGE_BYTES}. */
    public static final int PAGE_SHIFT = 12;

    private final MappedFile file;

    private GuestMemory(final MappedFile file) {
        this.file = file;
    }

    /** Maps a running guest's RAM for reading. */
    public static GuestMemory mapForCapture(final Path ramFile) {
        return new GuestMemory(MappedFile.mapReadOnly(ramFile));
    }

    /** Maps a replica's RAM for writing. */
    public static GuestMemory mapForReplay(final Path ramFile) {
        return new GuestMemory(MappedFile.mapReadWrite(ramFile));
    }

    public MemorySegment segment() {
        return file.segment();
    }

    public Path path() {
        return file.path();
    }

    public long lengthBytes() {
        return file.lengthBytes();
    }

    public long pageCount() {
        return file.lengthBytes() >>> PAGE_SHIFT;
    }

    /**
     * The first page from this one on that has memory of its own; {@link #pageCount()} if none. The pages before it are zero, and it is
     * better not to look at them: to read a page of a shared file, too, makes the kernel give it memory. Any thread; a page may get
     * memory at any time while the guest runs.
     */
    public long nextPopulatedPage(final long page) {
        return file.nextData(page << PAGE_SHIFT) >>> PAGE_SHIFT;
    }

    /** The first page from this one on that has no memory of its own; {@link #pageCount()} if none. Any thread. */
    public long nextUnpopulatedPage(final long page) {
        return (file.nextHole(page << PAGE_SHIFT) + PAGE_BYTES - 1) >>> PAGE_SHIFT;
    }

    /** Makes every page zero without changing the file's length, so that a process that maps it goes on. */
    public void zero() {
        file.zero();
    }

    @Override
    public void close() {
        file.close();
    }
}
