package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A disk whose guest went on elsewhere when this host, or its agent, failed: but for some blocks it is what the disk there was when the guest
 * went on. That is known from the bitmap that the agent left, if that can be relied on: all that was changed here and is not certain to have
 * been there is marked in it, also what was changed after the last checkpoint.
 *
 * @param replica what the other host calls this copy
 * @param blocks of {@link DirtyBitmap#BLOCK_BYTES}; those that the guest has changed since it went on come on top
 */
record LeftDisk(UUID replica, List<Long> blocks) {

    LeftDisk {
        blocks = List.copyOf(blocks);
    }

    /**
     * Looks what an agent has left here that ran the guest.
     *
     * @param generation of that guest
     * @return null if nothing can be said about the disk
     */
    static LeftDisk find(final DiskFiles files, final Path image, final long lengthBytes, final long generation)
            throws IOException {
        // An image with an identity is a replica, or was made one by a planned move.
        if (Files.exists(files.identity()) || !Files.exists(files.bitmap())) {
            return null;
        }
        final DirtyBitmap bitmap = DirtyBitmap.open(files.bitmap(), image, lengthBytes);
        try {
            if (bitmap.doubt() != null
                    || bitmap.replica().equals(DirtyBitmap.NO_REPLICA)
                    || bitmap.dirtyBlocks() > DifferenceQueue.CAPACITY) {
                return null;
            }
            final List<Long> blocks = new ArrayList<>();
            for (long block = bitmap.nextDirty(0); block >= 0; block = bitmap.nextDirty(block + 1)) {
                blocks.add(block);
            }
            return new LeftDisk(ReplicaIdentity.leftBehind(bitmap.replica(), generation + 1), blocks);
        } finally {
            // Nobody asks it again.
            bitmap.abandon();
        }
    }
}
