package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.resilire.linux.LinuxException;

/**
 * What an {@link NbdServer} serves. Any number of threads. Ranges outside the disk are an {@link IndexOutOfBoundsException}, failures
 * of the system a {@link LinuxException}. Memory that is handed in is native.
 */
public interface ServedDisk {

    long lengthBytes();

    boolean isReadOnly();

    /** Reads a whole range. */
    void read(MemorySegment into, long intoOffset, long lengthBytes, long diskOffset);

    /** Reads a whole range if that needs no waiting; else returns false, with the memory in any state. */
    boolean readCached(MemorySegment into, long intoOffset, long lengthBytes, long diskOffset);

    /** Writes a whole range; if it is to be durable, it is when this returns. */
    void write(MemorySegment from, long fromOffset, long lengthBytes, long diskOffset, boolean isDurable);

    /** Makes a range zeros; with {@code keepsRoom} a later write to it needs no new room. */
    void zero(long diskOffset, long lengthBytes, boolean keepsRoom, boolean isDurable);

    /** Gives a range's room back, so that it reads as zeros, or does nothing. */
    void trim(long diskOffset, long lengthBytes, boolean isDurable);

    /** Returns when all changes that were answered before are on stable storage. */
    void flush();

    /** A hint: whether {@link #flush} would wait. */
    boolean needsFlush();

    /** A hint: false if such a change would wait for somebody. */
    boolean isReadyFor(DiskChange change, long lengthBytes);

    /** Whether this byte is in a hole, which reads as zeros. */
    boolean isHole(long diskOffset);

    /** Where the hole or data in which this byte is ends, at most the disk's length, and always behind the byte. */
    long extentEnd(long diskOffset, boolean isHole);

    /** Throws an {@link IndexOutOfBoundsException} for a range that is not wholly in the disk. */
    default void requireInside(final long diskOffset, final long lengthBytes) {
        Objects.checkFromIndexSize(diskOffset, lengthBytes, lengthBytes());
    }
}
