package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.resilire.linux.AnonymousMemory;
import org.resilire.linux.BlockFile;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.wire.Checksum;

/**
 * A raw image file or block device, locked against other programs ({@link ImageLock}). Any number of threads. Ranges outside the
 * image are an {@link IndexOutOfBoundsException}, failures of the system a {@link LinuxException}. No call may be under way when
 * it is closed.
 *
 * <p>Changes that succeeded are seen by every later read at once; they are on stable storage after {@link #flush}, or when the
 * call returns if it was asked to be durable. After a flush that failed every later one fails too: the kernel reports a lost
 * write once and then forgets it, and this image must not.
 */
public final class DiskImage implements ServedDisk, AutoCloseable {

    /** Disks are counted in these. */
    public static final int SECTOR_BYTES = 512;

    private static final long ZEROS_BYTES = 256 << 10;

    private final BlockFile file;
    private final boolean isReadOnly;
    private final WriteObserver observer;
    private final RangeLocks ranges = new RangeLocks();
    private final AnonymousMemory zeros = AnonymousMemory.reserve("zeros", ZEROS_BYTES);
    private final DurableMark durable;

    private DiskImage(final BlockFile file, final boolean isReadOnly, final WriteObserver observer) {
        this.file = file;
        this.isReadOnly = isReadOnly;
        this.observer = observer;
        durable = new DurableMark(file.path(), file::sync);
    }

    /**
     * Opens and locks an image.
     *
     * @throws DiskImageException if it is missing, not readable or writable, of a strange length or in use
     */
    public static DiskImage open(final Path path, final boolean isReadOnly, final WriteObserver observer) {
        Objects.requireNonNull(observer, "observer");
        requireNoDirectory(path);
        final BlockFile file = openFile(path, isReadOnly);
        try {
            requireSectors(path, file.lengthBytes());
            ImageLock.take(file, isReadOnly);
            return new DiskImage(file, isReadOnly, observer);
        } catch (final RuntimeException failure) {
            file.close();
            throw failure;
        }
    }

    /**
     * How long an image is, without using it.
     *
     * @throws DiskImageException as for {@link #open}
     */
    public static long lengthOf(final Path path) {
        requireNoDirectory(path);
        try (BlockFile file = openFile(path, true)) {
            requireSectors(path, file.lengthBytes());
            return file.lengthBytes();
        }
    }

    private static void requireNoDirectory(final Path path) {
        if (Files.isDirectory(path)) {
            throw new DiskImageException("the disk image " + path + " is a directory, not a file or block device");
        }
    }

    private static BlockFile openFile(final Path path, final boolean isReadOnly) {
        try {
            return BlockFile.open(path, !isReadOnly);
        } catch (final LinuxException failure) {
            throw new DiskImageException(
                    switch (failure.errno()) {
                        case ENOENT -> "there is no disk image " + path;
                        case EACCES, EPERM, EROFS ->
                            "the disk image " + path + " cannot be opened for " + (isReadOnly ? "reading" : "writing")
                                    + ": " + failure.errno().text()
                                    + (isReadOnly ? "" : "; change its permissions, since a disk must be writable");
                        case EBUSY -> "the block device " + path + " is mounted or otherwise in use; release it first";
                        case ESPIPE -> "the disk image " + path + " is neither a file nor a block device";
                        default -> "the disk image " + path + " cannot be opened: " + failure.getMessage();
                    },
                    failure);
        }
    }

    private static void requireSectors(final Path path, final long lengthBytes) {
        if (lengthBytes == 0) {
            throw new DiskImageException("the disk image " + path + " is empty; give it the disk's size first");
        }
        if (lengthBytes % SECTOR_BYTES != 0) {
            throw new DiskImageException("the disk image " + path + " has " + lengthBytes
                    + " bytes, which is not a multiple of " + SECTOR_BYTES + ": it is cut off or no raw image");
        }
    }

    public Path path() {
        return file.path();
    }

    @Override
    public long lengthBytes() {
        return file.lengthBytes();
    }

    @Override
    public boolean isReadOnly() {
        return isReadOnly;
    }

    /** Reads a whole range into native memory. */
    @Override
    public void read(final MemorySegment into, final long intoOffset, final long lengthBytes, final long diskOffset) {
        requireInside(diskOffset, lengthBytes);
        file.read(into, intoOffset, lengthBytes, diskOffset);
    }

    /** Reads a whole range if that needs no waiting; else returns false, with the memory in any state. */
    @Override
    public boolean readCached(
            final MemorySegment into, final long intoOffset, final long lengthBytes, final long diskOffset) {
        requireInside(diskOffset, lengthBytes);
        return file.readCached(into, intoOffset, lengthBytes, diskOffset);
    }

    /** Writes a whole range from native memory. */
    @Override
    public void write(
            final MemorySegment from,
            final long fromOffset,
            final long lengthBytes,
            final long diskOffset,
            final boolean isDurable) {
        requireWritable(diskOffset, lengthBytes);
        observer.beforeChange(DiskChange.WRITE, diskOffset, lengthBytes);
        final long stripes = ranges.lock(diskOffset, lengthBytes);
        try {
            if (isDurable) {
                file.writeThrough(from, fromOffset, lengthBytes, diskOffset);
            } else {
                file.write(from, fromOffset, lengthBytes, diskOffset);
                durable.changed();
            }
            observer.changed(DiskChange.WRITE, diskOffset, lengthBytes, from, fromOffset);
        } catch (final RuntimeException failure) {
            durable.changed();
            observer.uncertain(DiskChange.WRITE, diskOffset, lengthBytes);
            throw failure;
        } finally {
            ranges.unlock(stripes);
        }
    }

    /** Makes a range zeros, by whatever way the image offers; with {@code keepsRoom} a later write to it needs no new room. */
    @Override
    public void zero(final long diskOffset, final long lengthBytes, final boolean keepsRoom, final boolean isDurable) {
        requireWritable(diskOffset, lengthBytes);
        final DiskChange change = keepsRoom ? DiskChange.ZERO : DiskChange.DISCARD;
        observer.beforeChange(change, diskOffset, lengthBytes);
        final long stripes = ranges.lock(diskOffset, lengthBytes);
        try {
            if (!(keepsRoom
                    ? file.zeroRange(diskOffset, lengthBytes)
                    : file.punchHole(diskOffset, lengthBytes) || file.zeroRange(diskOffset, lengthBytes))) {
                writeZeros(diskOffset, lengthBytes);
            }
            durable.changed();
            observer.changed(change, diskOffset, lengthBytes, null, 0);
        } catch (final RuntimeException failure) {
            durable.changed();
            observer.uncertain(change, diskOffset, lengthBytes);
            throw failure;
        } finally {
            ranges.unlock(stripes);
        }
        if (isDurable) {
            durable.flush();
        }
    }

    /**
     * Gives a range's room back, so that it reads as zeros; where the image cannot, nothing changes. A replica that is told the
     * same changes therefore holds the same bytes, although a guest must not rely on them.
     */
    @Override
    public void trim(final long diskOffset, final long lengthBytes, final boolean isDurable) {
        requireWritable(diskOffset, lengthBytes);
        observer.beforeChange(DiskChange.DISCARD, diskOffset, lengthBytes);
        final long stripes = ranges.lock(diskOffset, lengthBytes);
        try {
            if (file.punchHole(diskOffset, lengthBytes)) {
                durable.changed();
                observer.changed(DiskChange.DISCARD, diskOffset, lengthBytes, null, 0);
            } else {
                observer.unchanged(DiskChange.DISCARD, lengthBytes);
            }
        } catch (final RuntimeException failure) {
            durable.changed();
            observer.uncertain(DiskChange.DISCARD, diskOffset, lengthBytes);
            throw failure;
        } finally {
            ranges.unlock(stripes);
        }
        if (isDurable) {
            durable.flush();
        }
    }

    /**
     * Tells the observer what a range holds, in order with the changes of it: so a disk is copied while it is in use. A hole is told as
     * {@link DiskChange#DISCARD}, zeros as {@link DiskChange#ZERO}, anything else as {@link DiskChange#WRITE}.
     *
     * @param scratch native memory for the range, at most 256 KiB
     * @return what it was told as
     */
    public DiskChange report(final long diskOffset, final long lengthBytes, final MemorySegment scratch) {
        requireInside(diskOffset, lengthBytes);
        Objects.checkFromIndexSize(0, lengthBytes, Math.min(ZEROS_BYTES, scratch.byteSize()));
        observer.beforeChange(DiskChange.WRITE, diskOffset, lengthBytes);
        final long stripes = ranges.lock(diskOffset, lengthBytes);
        try {
            final DiskChange told = look(diskOffset, lengthBytes, scratch);
            observer.reported(told, diskOffset, lengthBytes, told == DiskChange.WRITE ? scratch : null, 0);
            return told;
        } catch (final RuntimeException failure) {
            observer.uncertain(DiskChange.WRITE, diskOffset, lengthBytes);
            throw failure;
        } finally {
            ranges.unlock(stripes);
        }
    }

    /**
     * Tells the observer the hash of a range, in order with the changes of it, for the replica to compare.
     *
     * @param scratch native memory for the range, at most 256 KiB
     */
    public void compare(final long diskOffset, final long lengthBytes, final MemorySegment scratch) {
        requireInside(diskOffset, lengthBytes);
        Objects.checkFromIndexSize(0, lengthBytes, Math.min(ZEROS_BYTES, scratch.byteSize()));
        observer.beforeChange(DiskChange.COMPARE, diskOffset, lengthBytes);
        final long stripes = ranges.lock(diskOffset, lengthBytes);
        try {
            final boolean isHole = file.nextData(diskOffset) >= diskOffset + lengthBytes;
            if (!isHole) {
                file.read(scratch, 0, lengthBytes, diskOffset);
            }
            final long hash = Checksum.hash(isHole ? zeros.segment() : scratch, 0, lengthBytes);
            scratch.set(JAVA_LONG, 0, hash);
            observer.changed(DiskChange.COMPARE, diskOffset, lengthBytes, scratch, 0);
        } catch (final RuntimeException failure) {
            observer.uncertain(DiskChange.COMPARE, diskOffset, lengthBytes);
            throw failure;
        } finally {
            ranges.unlock(stripes);
        }
    }

    private DiskChange look(final long diskOffset, final long lengthBytes, final MemorySegment scratch) {
        if (file.nextData(diskOffset) >= diskOffset + lengthBytes) {
            return DiskChange.DISCARD;
        }
        file.read(scratch, 0, lengthBytes, diskOffset);
        final boolean isZero = MemorySegment.mismatch(scratch, 0, lengthBytes, zeros.segment(), 0, lengthBytes) < 0;
        return isZero ? DiskChange.ZERO : DiskChange.WRITE;
    }

    private void writeZeros(final long diskOffset, final long lengthBytes) {
        long done = 0;
        while (done < lengthBytes) {
            final long pieceBytes = Math.min(ZEROS_BYTES, lengthBytes - done);
            file.write(zeros.segment(), 0, pieceBytes, diskOffset + done);
            done += pieceBytes;
        }
    }

    /** Returns when all changes that were answered before are on stable storage; at once if they are already. */
    @Override
    public void flush() {
        durable.flush();
    }

    /** A hint: whether {@link #flush} would wait for the storage now. */
    @Override
    public boolean needsFlush() {
        return durable.needsFlush();
    }

    /** Whether somebody waits for what was written to get on stable storage. */
    public boolean isFlushing() {
        return durable.isSyncing();
    }

    /** A hint: false if such a change would wait for the observer. */
    @Override
    public boolean isReadyFor(final DiskChange change, final long lengthBytes) {
        return observer.isReady(change, lengthBytes);
    }

    /** From now on {@link #flush} only takes note; see {@link DurableMark}. */
    public void beginDeferringFlushes() {
        durable.beginDeferring();
    }

    /** Flushes wait again; those that did not are owed until {@link #settleFlushes}. */
    public void endDeferringFlushes() {
        durable.endDeferring();
    }

    /** Whether {@link #settleFlushes} has something to do. */
    public boolean owesFlush() {
        return durable.isOwed();
    }

    /** Makes good what deferred flushes have promised; at once if they have promised nothing. */
    public void settleFlushes() {
        durable.settle();
    }

    /** Whether this byte is in a hole, which reads as zeros. */
    @Override
    public boolean isHole(final long diskOffset) {
        requireInside(diskOffset, 1);
        return file.nextData(diskOffset) > diskOffset;
    }

    /** Where the hole or data in which this byte is ends, at most the disk's length, and always behind the byte. */
    @Override
    public long extentEnd(final long diskOffset, final boolean isHole) {
        requireInside(diskOffset, 1);
        final long end = isHole ? file.nextData(diskOffset) : file.nextHole(diskOffset);
        // Somebody may have written meanwhile.
        return Math.max(end, Math.min(diskOffset + SECTOR_BYTES, lengthBytes()));
    }

    private void requireWritable(final long diskOffset, final long lengthBytes) {
        requireInside(diskOffset, lengthBytes);
        if (isReadOnly) {
            throw new LinuxException("write", path().toString(), Errno.EPERM, "it is served read-only");
        }
    }

    @Override
    public void close() {
        file.close();
        zeros.close();
    }
}
