package org.resilire.linux;

/** Where a file holds data and where nothing but zeros that take no room: {@code SEEK_DATA} and {@code SEEK_HOLE} of {@code lseek(2)}. */
final class FileExtents {
    private FileExtents() {}

    /** The first offset from there on that holds data, the file's length if none; where holes are not told, the offset itself. */
    static long nextData(int fileDescriptor, String object, long lengthBytes, long fileOffset) {
        return seek(fileDescriptor, object, lengthBytes, fileOffset, Unistd.SEEK_DATA, fileOffset);
    }

    /** The first offset from there on that is in a hole; where holes are not told, the file's length. */
    static long nextHole(int fileDescriptor, String object, long lengthBytes, long fileOffset) {
        return seek(fileDescriptor, object, lengthBytes, fileOffset, Unistd.SEEK_HOLE, lengthBytes);
    }

    private static long seek(
            int fileDescriptor, String object, long lengthBytes, long fileOffset, int whence, long ifNotTold) {
        long result = Unistd.lseek(fileDescriptor, fileOffset, whence);
        if (result == -Errno.ENXIO.number()) {
            return lengthBytes;
        }
        if (result == -Errno.EINVAL.number()) {
            return ifNotTold;
        }
        return Math.min(LinuxException.check(result, "lseek", object), lengthBytes);
    }
}
