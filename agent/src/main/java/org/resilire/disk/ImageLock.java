package org.resilire.disk;

import java.nio.file.Path;
import org.resilire.linux.BlockFile;

/**
 * Locks an image as QEMU's {@code file-posix} driver does, so that QEMU, {@code qemu-img} and other servers of this kind keep
 * away and are kept away: a shared lock on byte 100 + <i>p</i> says "I do <i>p</i>", one on byte 200 + <i>p</i> says "nobody
 * else may do <i>p</i>". The locks stand beside the content, need no room in the file and go with the descriptor, also when the
 * process is killed.
 */
final class ImageLock {

    private static final long DONE_BASE = 100;
    private static final long DENIED_BASE = 200;

    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;

    private static final int[] READER_DOES = {READ};
    private static final int[] WRITER_DOES = {READ, WRITE};
    private static final int[] DENIES = {WRITE, RESIZE};

    private ImageLock() {}

    /**
     * Takes the locks, which then last as long as the file is open.
     *
     * @throws DiskImageException if somebody else uses the image in a way that cannot be shared
     */
    static void take(final BlockFile file, final boolean isReadOnly) {
        final int[] does = isReadOnly ? READER_DOES : WRITER_DOES;
        // First take, then look: of two that come at once both may give up, but never do both go on.
        for (final int permission : does) {
            lock(file, DONE_BASE + permission);
        }
        for (final int permission : DENIES) {
            lock(file, DENIED_BASE + permission);
        }
        for (final int permission : does) {
            requireFree(file, DENIED_BASE + permission);
        }
        for (final int permission : DENIES) {
            requireFree(file, DONE_BASE + permission);
        }
    }

    private static void lock(final BlockFile file, final long lockOffset) {
        if (!file.lockByte(lockOffset)) {
            throw inUse(file.path());
        }
    }

    private static void requireFree(final BlockFile file, final long lockOffset) {
        if (file.isByteLockedByOthers(lockOffset)) {
            throw inUse(file.path());
        }
    }

    private static DiskImageException inUse(final Path path) {
        return new DiskImageException("the disk image " + path
                + " is in use by another program, which holds its lock; end that program or serve another image");
    }
}
