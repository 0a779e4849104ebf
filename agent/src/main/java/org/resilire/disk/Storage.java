package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.BlockFile;

/**
 * What a journal writes to: its own file, and the disk. A seam, so that tests can end the world between any two calls. Failures
 * are {@link org.resilire.linux.LinuxException}s. One thread.
 */
public interface Storage {

    /** As it is now. */
    long lengthBytes();

    /** Reads a whole range. */
    void read(MemorySegment into, long intoOffset, long countBytes, long offset);

    /** Writes a whole range; on stable storage only after {@link #sync}. */
    void write(MemorySegment from, long fromOffset, long countBytes, long offset);

    /** Makes a range zeros, and with {@code keepsRoom} keeps its room. */
    void zero(long offset, long countBytes, boolean keepsRoom);

    /** Returns when all that was written is on stable storage. */
    void sync();

    /** A disk. */
    static Storage of(final DiskImage image) {
        return new Storage() {
            @Override
            public long lengthBytes() {
                return image.lengthBytes();
            }

            @Override
            public void read(
                    final MemorySegment into, final long intoOffset, final long countBytes, final long offset) {
                image.read(into, intoOffset, countBytes, offset);
            }

            @Override
            public void write(
                    final MemorySegment from, final long fromOffset, final long countBytes, final long offset) {
                image.write(from, fromOffset, countBytes, offset, false);
            }

            @Override
            public void zero(final long offset, final long countBytes, final boolean keepsRoom) {
                image.zero(offset, countBytes, keepsRoom, false);
            }

            @Override
            public void sync() {
                image.flush();
            }
        };
    }

    /** A file, which may grow beyond the length that it had. */
    static Storage of(final BlockFile file) {
        return new Storage() {
            @Override
            public long lengthBytes() {
                return file.currentLengthBytes();
            }

            @Override
            public void read(
                    final MemorySegment into, final long intoOffset, final long countBytes, final long offset) {
                file.read(into, intoOffset, countBytes, offset);
            }

            @Override
            public void write(
                    final MemorySegment from, final long fromOffset, final long countBytes, final long offset) {
                file.write(from, fromOffset, countBytes, offset);
            }

            @Override
            public void zero(final long offset, final long countBytes, final boolean keepsRoom) {
                throw new UnsupportedOperationException("a journal's file is only written");
            }

            @Override
            public void sync() {
                file.sync();
            }
        };
    }
}
