package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A regular file or block device read and written at offsets, of a length that does not change. Any number of threads; where
 * their ranges overlap, the kernel decides. All memory handed in is native and stays open during the call. Closing while
 * another thread is inside a call is the caller's mistake to avoid.
 *
 * <p>Every failure is a {@link LinuxException}; {@code EINTR} is never one, and neither is a short transfer: reads and writes
 * are whole or fail.
 */
public final class BlockFile implements AutoCloseable {
    private static final int REWRITTEN_BYTES = 64 << 10;

    private final Path path;
    private final FileDescriptor descriptor;
    private final boolean isBlockDevice;
    private final long lengthBytes;

    private BlockFile(Path path, FileDescriptor descriptor, boolean isBlockDevice, long lengthBytes) {
        this.path = path;
        this.descriptor = descriptor;
        this.isBlockDevice = isBlockDevice;
        this.lengthBytes = lengthBytes;
    }

    /**
     * Opens what is there. A block device is opened for writing exclusively: {@code EBUSY} if it is mounted or otherwise
     * claimed in the kernel.
     */
    public static BlockFile open(Path path, boolean forWriting) {
        boolean isBlockDevice = Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path);
        int flags = forWriting ? Fcntl.O_RDWR : Fcntl.O_RDONLY;
        // O_NONBLOCK: a FIFO by mistake must not hang the opener; on files and devices it changes nothing.
        FileDescriptor descriptor =
                FileDescriptor.open(path, flags | Fcntl.O_NONBLOCK | (isBlockDevice && forWriting ? Fcntl.O_EXCL : 0));
        try {
            return new BlockFile(path, descriptor, isBlockDevice, descriptor.lengthBytes());
        } catch (RuntimeException failure) {
            descriptor.close();
            throw failure;
        }
    }

    public Path path() {
        return path;
    }

    /** Anything that is not a regular file: only block devices can be positioned at their end and so be opened. */
    public boolean isBlockDevice() {
        return isBlockDevice;
    }

    /** As it was when the file was opened. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** As it is now: writes beyond the end make a regular file longer. */
    public long currentLengthBytes() {
        return descriptor.lengthBytes();
    }

    /** Reads the whole range; {@code EIO} if the file ends before it does, as it may if somebody shrinks it. */
    public void read(MemorySegment into, long intoOffset, long countBytes, long fileOffset) {
        long address = NativeMemory.address(into, intoOffset, countBytes);
        try {
            long done = 0;
            while (done < countBytes) {
                long result = Unistd.pread(number(), address + done, countBytes - done, fileOffset + done);
                if (result == 0) {
                    throw new LinuxException("read", path.toString(), Errno.EIO, "it has become shorter");
                }
                if (result != -Errno.EINTR.number()) {
                    done += LinuxException.check(result, "read", path.toString());
                }
            }
        } finally {
            Reference.reachabilityFence(into);
        }
    }

    /**
     * Reads the range if all of it can be had without waiting for a device ({@code RWF_NOWAIT}).
     *
     * @return false if {@link #read} must do it, which may be only because the file system does not tell; the memory is then in
     *     any state
     */
    public boolean readCached(MemorySegment into, long intoOffset, long countBytes, long fileOffset) {
        long address = NativeMemory.address(into, intoOffset, countBytes);
        try {
            long vector = IoVector.address(address, countBytes);
            return Unistd.preadv2(number(), vector, 1, fileOffset, Unistd.RWF_NOWAIT) == countBytes;
        } finally {
            Reference.reachabilityFence(into);
        }
    }

    /** Writes the whole range into the page cache; on stable storage only after {@link #sync()}. */
    public void write(MemorySegment from, long fromOffset, long countBytes, long fileOffset) {
        long address = NativeMemory.address(from, fromOffset, countBytes);
        try {
            long done = 0;
            while (done < countBytes) {
                long result = Unistd.pwrite(number(), address + done, countBytes - done, fileOffset + done);
                if (result != -Errno.EINTR.number()) {
                    done += LinuxException.check(result, "write", path.toString());
                }
            }
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    /**
     * Writes the whole range and returns when it is on stable storage ({@code RWF_DSYNC}); what was written before may not be.
     */
    public void writeThrough(MemorySegment from, long fromOffset, long countBytes, long fileOffset) {
        long address = NativeMemory.address(from, fromOffset, countBytes);
        try {
            long done = 0;
            while (done < countBytes) {
                long vector = IoVector.address(address + done, countBytes - done);
                long result = Unistd.pwritev2(number(), vector, 1, fileOffset + done, Unistd.RWF_DSYNC);
                if (result != -Errno.EINTR.number()) {
                    done += LinuxException.check(result, "write", path.toString());
                }
            }
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    /** Returns when everything written before is on stable storage ({@code fdatasync(2)}). */
    public void sync() {
        int result;
        do {
            result = Unistd.fdatasync(number());
        } while (result == -Errno.EINTR.number());
        LinuxException.check(result, "fdatasync", path.toString());
    }

    /**
     * Makes a range zeros and gives its room back.
     *
     * @return false, with nothing changed, if the file system or device cannot for this range
     */
    public boolean punchHole(long fileOffset, long countBytes) {
        return allocate(Fcntl.FALLOC_FL_PUNCH_HOLE | Fcntl.FALLOC_FL_KEEP_SIZE, fileOffset, countBytes);
    }

    /**
     * Makes a range zeros and keeps its room, so that a later write to it does not find the file system full.
     *
     * @return false, with nothing changed, if the file system or device cannot for this range
     */
    public boolean zeroRange(long fileOffset, long countBytes) {
        return allocate(Fcntl.FALLOC_FL_ZERO_RANGE | Fcntl.FALLOC_FL_KEEP_SIZE, fileOffset, countBytes);
    }

    /**
     * Has a later write to a range of a regular file, also one through a mapping, find room: what it reads as stays, and the file gets
     * longer if need be. File systems that never write to the same place twice promise less.
     */
    public void reserve(long fileOffset, long countBytes) {
        if (!allocate(0, fileOffset, countBytes)) {
            rewrite(fileOffset, countBytes);
        }
    }

    /** Where the file system cannot be asked; nobody else may change the range meanwhile. */
    void rewrite(long fileOffset, long countBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(REWRITTEN_BYTES);
            for (long done = 0; done < countBytes; done += REWRITTEN_BYTES) {
                long at = fileOffset + done;
                long pieceBytes = Math.min(REWRITTEN_BYTES, countBytes - done);
                long thereBytes = Math.clamp(currentLengthBytes() - at, 0L, pieceBytes);
                piece.fill((byte) 0);
                read(piece, 0, thereBytes, at);
                write(piece, 0, pieceBytes, at);
            }
        }
    }

    private boolean allocate(int mode, long fileOffset, long countBytes) {
        int result;
        do {
            result = Fcntl.fallocate(number(), mode, fileOffset, countBytes);
        } while (result == -Errno.EINTR.number());
        // Block devices answer EINVAL for what does not fall on their sectors.
        if (result == -Errno.EOPNOTSUPP.number() || (isBlockDevice && result == -Errno.EINVAL.number())) {
            return false;
        }
        LinuxException.check(result, "fallocate", path.toString());
        return true;
    }

    /** The first offset from there on that holds data, the file's length if none; where holes are not told, the offset itself. */
    public long nextData(long fileOffset) {
        return FileExtents.nextData(number(), path.toString(), lengthBytes, fileOffset);
    }

    /** The first offset from there on that is in a hole; where holes are not told, the file's length. */
    public long nextHole(long fileOffset) {
        return FileExtents.nextHole(number(), path.toString(), lengthBytes, fileOffset);
    }

    /**
     * Takes a shared lock on one byte, whether or not it exists ({@code F_OFD_SETLK}); it goes with this object.
     *
     * @return false if somebody holds it exclusively
     */
    public boolean lockByte(long lockOffset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = lockOf(lockOffset, Fcntl.F_RDLCK, arena);
            int result = Fcntl.fcntl(number(), Fcntl.F_OFD_SETLK, lock.address());
            if (result == -Errno.EAGAIN.number() || result == -Errno.EACCES.number()) {
                return false;
            }
            LinuxException.check(result, "lock", path.toString());
            return true;
        }
    }

    /** Whether anybody but this object holds a lock, of either kind, on a byte ({@code F_OFD_GETLK}). */
    public boolean isByteLockedByOthers(long lockOffset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = lockOf(lockOffset, Fcntl.F_WRLCK, arena);
            LinuxException.check(
                    Fcntl.fcntl(number(), Fcntl.F_OFD_GETLK, lock.address()), "look at the locks", path.toString());
            return lock.get(JAVA_SHORT, 0) != Fcntl.F_UNLCK;
        }
    }

    private static MemorySegment lockOf(long lockOffset, short type, Arena arena) {
        MemorySegment lock = arena.allocate(Fcntl.FLOCK);
        lock.set(JAVA_SHORT, 0, type);
        lock.set(JAVA_SHORT, Fcntl.L_WHENCE, Fcntl.SEEK_SET);
        lock.set(JAVA_LONG, Fcntl.L_START, lockOffset);
        lock.set(JAVA_LONG, Fcntl.L_LEN, 1);
        return lock;
    }

    private int number() {
        return descriptor.number();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
