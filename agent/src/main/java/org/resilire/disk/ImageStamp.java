package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Which file an image is and when it was last changed, by which an agent tells whether somebody else has changed it since the last one
 * ended. Of a block device neither says anything: its node belongs to another file system, and is made anew with each boot.
 *
 * @param inode 0 for a block device
 * @param changedNanos since 1970, the file's {@code st_ctim}: every change sets it, and unlike the time of modification no program can
 *     set it back; 0 for a block device
 */
record ImageStamp(long inode, long changedNanos) {

    /** No image is so. */
    static final ImageStamp UNKNOWN = new ImageStamp(-1, -1);

    private static final ImageStamp OF_DEVICE = new ImageStamp(0, 0);

    static ImageStamp of(final Path image) throws IOException {
        if (!Files.isRegularFile(image)) {
            return OF_DEVICE;
        }
        final Map<String, Object> attributes = Files.readAttributes(image, "unix:ino,ctime");
        return new ImageStamp(
                ((Number) attributes.get("ino")).longValue(),
                ((FileTime) attributes.get("ctime")).to(TimeUnit.NANOSECONDS));
    }

    /** Whether it is the same file, whatever has become of what is in it. */
    boolean isSameFile(final ImageStamp other) {
        return inode == other.inode;
    }
}
