package org.resilire.guest.qemu;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.GuestException;

/**
 * The file into which QEMU saves the device state. QEMU truncates it and writes the same inode, so one descriptor serves
 * every checkpoint. Not thread-safe.
 */
final class StateFile implements AutoCloseable {

    private final Path path;
    private FileChannel channel;

    /** Wrapping a segment in a buffer allocates: done once for each segment, that is once. */
    private MemorySegment wrapped = MemorySegment.NULL;

    private ByteBuffer wrapper = ByteBuffer.allocate(0);

    private StateFile(final Path path, final FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Creates the directory, readable only by its owner, and an empty file in it. */
    static StateFile create(final Path directory) {
        final Path path = directory.toAbsolutePath().resolve("device-state");
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.deleteIfExists(path);
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            return new StateFile(path, FileChannel.open(path, StandardOpenOption.READ));
        } catch (final IOException e) {
            throw new AttachException(
                    AttachProblem.STATE_DIRECTORY_UNUSABLE,
                    "cannot create the device state file " + path + ": " + e,
                    e);
        }
    }

    Path path() {
        return path;
    }

    /** Reads all of it and returns its length in bytes. */
    int read(final MemorySegment into) {
        try {
            return readOnce(into);
        } catch (final ClosedByInterruptException e) {
            return readInterrupted(into);
        } catch (final IOException e) {
            throw new GuestException("cannot read the device state " + path + ": " + e.getMessage(), e);
        }
    }

    /** An interrupt closes a channel under whoever reads it, but must not cost a checkpoint. */
    private int readInterrupted(final MemorySegment into) {
        final boolean wasInterrupted = Thread.interrupted();
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            return readOnce(into);
        } catch (final IOException e) {
            throw new GuestException("cannot read the device state " + path + ": " + e.getMessage(), e);
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private int readOnce(final MemorySegment into) throws IOException {
        final long length = channel.size();
        final ByteBuffer buffer = wrap(into);
        if (length > buffer.capacity()) {
            throw new GuestException("the device state has " + length + " bytes, more than the " + buffer.capacity()
                    + " there is room for");
        }
        buffer.clear().limit((int) length);
        int position = 0;
        while (position < length) {
            final int read = channel.read(buffer, position);
            if (read <= 0) {
                throw new GuestException("the device state " + path + " ends after " + position + " of " + length
                        + " bytes: is somebody else writing it?");
            }
            position += read;
        }
        return position;
    }

    private ByteBuffer wrap(final MemorySegment into) {
        if (!wrapped.equals(into)) {
            wrapped = into;
            wrapper = into.byteSize() > Integer.MAX_VALUE
                    ? into.asSlice(0, Integer.MAX_VALUE).asByteBuffer()
                    : into.asByteBuffer();
        }
        return wrapper;
    }

    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(path);
        } catch (final IOException e) {
            throw new GuestException("cannot remove the device state " + path + ": " + e.getMessage(), e);
        }
    }
}
