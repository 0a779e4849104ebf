package org.resilire.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A whole file mapped {@code MAP_SHARED}, of any size: guest RAM, a replica, a counters file. The segment may be used by any
 * thread until {@link #close}, which must not run while somebody is inside it. Another process may write the same bytes at
 * any moment; shrinking the file under a mapping kills whoever touches it, so nothing here ever truncates.
 */
public final class MappedFile implements AutoCloseable {
    private final Path path;
    private final FileDescriptor descriptor;
    private final Arena arena;
    private final MemorySegment segment;

    private MappedFile(Path path, FileDescriptor descriptor, Arena arena, MemorySegment segment) {
        this.path = path;
        this.descriptor = descriptor;
        this.arena = arena;
        this.segment = segment;
    }

    public static MappedFile mapReadOnly(Path path) {
        return map(path, FileDescriptor.open(path, Fcntl.O_RDONLY), MMan.PROT_READ);
    }

    public static MappedFile mapReadWrite(Path path) {
        return map(path, FileDescriptor.open(path, Fcntl.O_RDWR), MMan.PROT_READ | MMan.PROT_WRITE);
    }

    /** Creates a file of zeros, mode 0600, and maps it; {@code EEXIST} if it is already there. */
    public static MappedFile create(Path path, long lengthBytes) {
        NativeMemory.requirePositive(lengthBytes, path.toString());
        FileDescriptor descriptor = FileDescriptor.open(path, Fcntl.O_CREAT | Fcntl.O_RDWR | Fcntl.O_EXCL);
        try {
            LinuxException.check(Unistd.ftruncate(descriptor.number(), lengthBytes), "ftruncate", path.toString());
            return map(path, descriptor, MMan.PROT_READ | MMan.PROT_WRITE);
        } catch (RuntimeException failure) {
            descriptor.close();
            path.toFile().delete();
            throw failure;
        }
    }

    /** Maps all of an open file and takes the descriptor over, also when it fails. */
    static MappedFile map(Path path, FileDescriptor descriptor, int protection) {
        Arena arena = Arena.ofShared();
        try {
            long lengthBytes = descriptor.lengthBytes();
            NativeMemory.requirePositive(lengthBytes, path.toString());
            long address = LinuxException.check(
                    MMan.mmap(lengthBytes, protection, MMan.MAP_SHARED, descriptor.number()), "mmap", path.toString());
            MemorySegment whole = NativeMemory.ofMapping(address, lengthBytes, arena);
            boolean writable = (protection & MMan.PROT_WRITE) != 0;
            return new MappedFile(path, descriptor, arena, writable ? whole : whole.asReadOnly());
        } catch (RuntimeException failure) {
            arena.close();
            descriptor.close();
            throw failure;
        }
    }

    public MemorySegment segment() {
        return segment;
    }

    public Path path() {
        return path;
    }

    public long lengthBytes() {
        return segment.byteSize();
    }

    /**
     * The first offset from there on that the file has memory (or blocks) for, its length if none; where that is not told, the offset
     * itself. All before it reads as zeros, and to read it through the mapping would make the kernel give it memory. Any thread.
     */
    public long nextData(long fileOffset) {
        return FileExtents.nextData(descriptor.number(), descriptor.object(), lengthBytes(), fileOffset);
    }

    /** The first offset from there on that the file has no memory for; where that is not told, its length. Any thread. */
    public long nextHole(long fileOffset) {
        return FileExtents.nextHole(descriptor.number(), descriptor.object(), lengthBytes(), fileOffset);
    }

    /** Gives all pages back: the content becomes zeros, for every process that maps the file, and the length stays. */
    public void zero() {
        int mode = Fcntl.FALLOC_FL_PUNCH_HOLE | Fcntl.FALLOC_FL_KEEP_SIZE;
        int result;
        do {
            result = Fcntl.fallocate(descriptor.number(), mode, 0, lengthBytes());
        } while (result == -Errno.EINTR.number());
        LinuxException.check(result, "fallocate", path.toString());
    }

    /** Unmaps; the file stays. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        descriptor.close();
    }
}
