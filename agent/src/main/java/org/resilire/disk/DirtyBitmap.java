package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.agrona.BitUtil;
import org.resilire.linux.BlockFile;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;

/**
 * Which blocks of a disk may differ from a replica of it, in a mapped file beside the image. A block is marked before it changes, so
 * that the bitmap survives the end of the agent at any instant: the kernel keeps what was stored in the mapping. It does not survive
 * the end of the host, after which some marks may be missing; the boot that it was used in is recorded. Nor does it know of what others do
 * to the image while no agent runs: which file it was is recorded, and by {@link #close()} when that was last changed ({@link ImageStamp}).
 * {@link #doubt()} tells. A doubtful bitmap has all blocks marked: everything is to be compared.
 *
 * <p>There are two layers. Marks go into the young one. {@link #beginGeneration} makes the young layer the old one, which
 * {@link #clearOld} empties once the replica has, on its disk and not only in memory, everything up to that instant. What is marked
 * in either may differ.
 *
 * <p>The owner sees to it that marks and generations do not happen at once ({@link EpochWriteLog}). Reading may happen any time.
 */
public final class DirtyBitmap implements AutoCloseable {

    /** A block that a mark stands for. */
    public static final int BLOCK_BYTES = 64 << 10;

    /** Sees to it that all of a file that is to be mapped has room: a store that finds none ends the process. */
    @FunctionalInterface
    interface Room {
        void reserve(Path file, long lengthBytes);
    }

    /** No replica has this identity. */
    public static final UUID NO_REPLICA = new UUID(0, 0);

    private static final long MAGIC = 0x5245534449525459L;
    private static final long VERSION = 2;
    private static final int HEADER_BYTES = 4096;
    private static final long STATE_IN_USE = 1;
    private static final long STATE_CLOSED = 2;

    private static final int VERSION_OFFSET = 8;
    private static final int DISK_BYTES_OFFSET = 16;
    private static final int REPLICA_OFFSET = 24;
    private static final int BOOT_OFFSET = 40;
    private static final int STATE_OFFSET = 56;
    private static final int YOUNG_OFFSET = 64;
    private static final int INODE_OFFSET = 72;
    private static final int CHANGED_OFFSET = 80;

    private final Path image;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment file;
    private final long blocks;
    private final long layerBytes;
    private final String doubt;
    private final long diskBytes;
    private volatile long young;

    private DirtyBitmap(final Path path, final Path image, final long diskBytes, final UUID boot, final Room room)
            throws IOException {
        this.image = image;
        this.diskBytes = diskBytes;
        blocks = BitUtil.align(diskBytes, BLOCK_BYTES) / BLOCK_BYTES;
        layerBytes = BitUtil.align(blocks, Long.SIZE) / Byte.SIZE;
        final ImageStamp stamp = ImageStamp.of(image);
        final boolean existed = Files.exists(path);
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            final long fileBytes = HEADER_BYTES + 2 * layerBytes;
            final boolean isSized = channel.size() == fileBytes;
            if (existed && !isSized) {
                channel.truncate(fileBytes);
            }
            makeRoom(room, path, fileBytes, existed);
            file = channel.map(FileChannel.MapMode.READ_WRITE, 0, fileBytes, arena);
            doubt = existed ? findDoubt(isSized, stamp, boot) : "it is new";
        }
        young = doubt == null ? file.get(JAVA_LONG, YOUNG_OFFSET) & 1 : 0;
        if (doubt != null) {
            writeHeader();
            markAll();
        }
        putUuid(BOOT_OFFSET, boot);
        putStamp(stamp);
        file.set(JAVA_LONG, STATE_OFFSET, STATE_IN_USE);
        file.force();
    }

    /**
     * Opens a bitmap or makes one.
     *
     * @param path of the bitmap
     * @param image of the disk
     * @param diskBytes length of the disk
     * @throws DiskImageException if there is no room for it; the message is for the user
     */
    public static DirtyBitmap open(final Path path, final Path image, final long diskBytes) throws IOException {
        final String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"));
        return open(path, image, diskBytes, UUID.fromString(boot.strip()));
    }

    static DirtyBitmap open(final Path path, final Path image, final long diskBytes, final UUID boot)
            throws IOException {
        return open(path, image, diskBytes, boot, DirtyBitmap::reserve);
    }

    static DirtyBitmap open(final Path path, final Path image, final long diskBytes, final UUID boot, final Room room)
            throws IOException {
        return new DirtyBitmap(path, image, diskBytes, boot, room);
    }

    private static void reserve(final Path path, final long lengthBytes) {
        try (BlockFile file = BlockFile.open(path, true)) {
            file.reserve(0, lengthBytes);
        }
    }

    private static void makeRoom(final Room room, final Path path, final long lengthBytes, final boolean existed)
            throws IOException {
        try {
            room.reserve(path, lengthBytes);
        } catch (final LinuxException failure) {
            if (!existed) {
                Files.deleteIfExists(path);
            }
            if (failure.errno() == Errno.ENOSPC || failure.errno() == Errno.EDQUOT) {
                throw new DiskImageException(
                        "there is no room for " + path + ", which needs " + (lengthBytes >> 10)
                                + " KiB: make some there, or give another --state-dir",
                        failure);
            }
            throw failure;
        }
    }

    private String findDoubt(final boolean isSized, final ImageStamp now, final UUID boot) {
        if (!isSized
                || file.get(JAVA_LONG, 0) != MAGIC
                || file.get(JAVA_LONG, VERSION_OFFSET) != VERSION
                || file.get(JAVA_LONG, DISK_BYTES_OFFSET) != diskBytes) {
            return "it is damaged or of another disk";
        }
        final long state = file.get(JAVA_LONG, STATE_OFFSET);
        if (state != STATE_CLOSED
                && !(state == STATE_IN_USE && uuid(BOOT_OFFSET).equals(boot))) {
            return "the host ended while it was in use";
        }
        final ImageStamp then = stamp();
        if (!now.isSameFile(then)) {
            return "the image is another file";
        }
        if (state == STATE_CLOSED && !now.equals(then)) {
            return "the image was changed while no agent ran";
        }
        return null;
    }

    private void writeHeader() {
        file.fill((byte) 0);
        file.set(JAVA_LONG, 0, MAGIC);
        file.set(JAVA_LONG, VERSION_OFFSET, VERSION);
        file.set(JAVA_LONG, DISK_BYTES_OFFSET, diskBytes);
        putUuid(REPLICA_OFFSET, NO_REPLICA);
    }

    private ImageStamp stamp() {
        return new ImageStamp(file.get(JAVA_LONG, INODE_OFFSET), file.get(JAVA_LONG, CHANGED_OFFSET));
    }

    private void putStamp(final ImageStamp stamp) {
        file.set(JAVA_LONG, INODE_OFFSET, stamp.inode());
        file.set(JAVA_LONG, CHANGED_OFFSET, stamp.changedNanos());
    }

    private ImageStamp stampOfImage() {
        try {
            return ImageStamp.of(image);
        } catch (final IOException gone) {
            return ImageStamp.UNKNOWN;
        }
    }

    private UUID uuid(final int offset) {
        return new UUID(file.get(JAVA_LONG, offset), file.get(JAVA_LONG, offset + Long.BYTES));
    }

    private void putUuid(final int offset, final UUID uuid) {
        file.set(JAVA_LONG, offset, uuid.getMostSignificantBits());
        file.set(JAVA_LONG, offset + Long.BYTES, uuid.getLeastSignificantBits());
    }

    /** Which copy of the disk the marks are about; {@link #NO_REPLICA} if about none. */
    public UUID replica() {
        return uuid(REPLICA_OFFSET);
    }

    /** From here on the marks are about this replica, of which nothing is known if it is another: everything is marked. */
    void adopt(final UUID replica) {
        if (!replica.equals(replica())) {
            markAll();
            putUuid(REPLICA_OFFSET, replica);
            file.force();
        }
    }

    /** From here on the marks are about this replica, which is equal: nothing is marked. */
    void trust(final UUID replica) {
        // In this order: marks that are still there do no harm.
        putUuid(REPLICA_OFFSET, replica);
        file.asSlice(HEADER_BYTES, 2 * layerBytes).fill((byte) 0);
    }

    /** Why, when it was opened, everything had to be taken as changed; null if the marks could be relied on. */
    public String doubt() {
        return doubt;
    }

    /** Marks every block that the range touches. */
    void mark(final long diskOffset, final long lengthBytes) {
        final long last = (diskOffset + lengthBytes - 1) / BLOCK_BYTES;
        for (long block = diskOffset / BLOCK_BYTES; block <= last; block++) {
            final long at = wordOffset(young, block);
            final long word = file.get(JAVA_LONG, at);
            final long marked = word | (1L << block);
            // Stores only where something changes keep the mapping's pages clean.
            if (marked != word) {
                file.set(JAVA_LONG, at, marked);
            }
        }
    }

    /** Marks everything. */
    void markAll() {
        mark(0, blocks * BLOCK_BYTES);
    }

    private long wordOffset(final long layer, final long block) {
        return HEADER_BYTES + layer * layerBytes + block / Long.SIZE * Long.BYTES;
    }

    /** Makes the young layer the old one; what is still in the old one stays marked. */
    void beginGeneration() {
        for (long word = 0; word >= 0; ) {
            word = joinOld(word, Integer.MAX_VALUE);
        }
        turn();
    }

    /**
     * Moves marks of a generation that was not cleared to the young layer, where they age with those. A piece at a time: marks may come in
     * between.
     *
     * @param fromWord 0, or what the last piece returned
     * @param words at most so many
     * @return where the next piece begins; -1 if nothing is left
     */
    long joinOld(final long fromWord, final int words) {
        final long end = Math.min(fromWord + words, layerBytes / Long.BYTES);
        final long from = HEADER_BYTES + (young ^ 1) * layerBytes;
        final long to = HEADER_BYTES + young * layerBytes;
        for (long at = fromWord * Long.BYTES; at < end * Long.BYTES; at += Long.BYTES) {
            final long word = file.get(JAVA_LONG, from + at);
            if (word != 0) {
                // In this order: at no instant is it in neither, whatever becomes of this process.
                file.set(JAVA_LONG, to + at, file.get(JAVA_LONG, to + at) | word);
                file.set(JAVA_LONG, from + at, 0);
            }
        }
        return end * Long.BYTES == layerBytes ? -1 : end;
    }

    /** The young layer becomes the old one, and the other one, in which {@link #joinOld} has left nothing, the young one. */
    void turn() {
        final long old = young ^ 1;
        young = old;
        file.set(JAVA_LONG, YOUNG_OFFSET, old);
    }

    /** Everything before the last {@link #beginGeneration} is on the replica's disk. Any thread, not together with another generation. */
    public void clearOld() {
        file.asSlice(HEADER_BYTES + (young ^ 1) * layerBytes, layerBytes).fill((byte) 0);
    }

    /** The first block from there on that may differ, -1 if none. */
    public long nextDirty(final long fromBlock) {
        for (long block = fromBlock; block < blocks; ) {
            final long word = (file.get(JAVA_LONG, wordOffset(0, block)) | file.get(JAVA_LONG, wordOffset(1, block)))
                    & (-1L << block);
            if (word != 0) {
                final long found = (block & -Long.SIZE) + Long.numberOfTrailingZeros(word);
                return found < blocks ? found : -1;
            }
            block = (block & -Long.SIZE) + Long.SIZE;
        }
        return -1;
    }

    /** How many blocks may differ. */
    public long dirtyBlocks() {
        long count = 0;
        for (long block = 0; block < blocks; block += Long.SIZE) {
            count += Long.bitCount(
                    file.get(JAVA_LONG, wordOffset(0, block)) | file.get(JAVA_LONG, wordOffset(1, block)));
        }
        return count;
    }

    /** How many blocks the disk has. */
    public long blocks() {
        return blocks;
    }

    /** Puts everything on stable storage first, and then the note that it is. The image is durable, and nobody of ours changes it. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            putStamp(stampOfImage());
            file.force();
            file.set(JAVA_LONG, STATE_OFFSET, STATE_CLOSED);
            file.force();
            arena.close();
        }
    }

    /** Lets go as the end of the process would: also where another agent may be using it. */
    void abandon() {
        arena.close();
    }
}
