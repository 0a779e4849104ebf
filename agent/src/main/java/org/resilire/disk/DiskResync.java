package org.resilire.disk;

import org.agrona.concurrent.NanoClock;
import org.resilire.linux.AnonymousMemory;

/**
 * Makes a replica's disk equal in a session, beside the guest: copies what the bitmap has marked if that is little or the replica is empty,
 * and what the replica's host says of its own accord that differs; else tells the replica the hashes of what is marked and copies only what
 * it says differs. Either goes through the log, in order with the guest's changes. A hash is of 64 bits: a block that differs and has the
 * same one is missed, with a probability of 2^-64 unless the guest makes it so on purpose.
 *
 * <p>One thread, which must not be the sender's; {@link #onDifference} is for the link's, and the figures are for any.
 */
public final class DiskResync implements AutoCloseable {

    /** When more than one block in so many is marked, hashes travel first. */
    private static final long FEW = 4;

    private final DiskImage image;
    private final DirtyBitmap bitmap;
    private final EpochWriteLog log;
    private final long session;
    private final long firstEpoch;
    private final boolean compares;
    private final DiskCopy copy;
    private final CopyRate rate;
    private final BlockMarks differing;
    private final AnonymousMemory scratch = AnonymousMemory.reserve("a block to compare", DirtyBitmap.BLOCK_BYTES);
    private final long blocksTotal;

    /** The next block to be compared; -1 when all were. */
    private long cursor;

    /** The epoch whose being applied says that all differences are known; -1 before the last comparison is logged. */
    private long lastComparison = -1;

    /** Of blocks that were said to differ. */
    private long differingBytes;

    private volatile long comparedBlocks;
    private volatile long copiedBytes;
    private volatile boolean isDone;

    /**
     * Begins, with a log that was started for this session.
     *
     * @param isReplicaEmpty there is nothing to compare with
     * @param bytesPerSecond of data to copy, at most; {@link Long#MAX_VALUE} for no limit
     */
    public DiskResync(
            final PrimaryDisk disk, final boolean isReplicaEmpty, final NanoClock clock, final long bytesPerSecond) {
        this(disk.image(), disk.bitmap(), disk.log(), isReplicaEmpty, clock, bytesPerSecond);
    }

    DiskResync(
            final DiskImage image,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final boolean isReplicaEmpty,
            final NanoClock clock,
            final long bytesPerSecond) {
        this.image = image;
        this.bitmap = bitmap;
        this.log = log;
        session = log.session();
        firstEpoch = log.currentEpoch();
        differing = new BlockMarks(bitmap.blocks());
        rate = new CopyRate(clock, bytesPerSecond);
        blocksTotal = bitmap.dirtyBlocks();
        compares = !isReplicaEmpty && blocksTotal * FEW > bitmap.blocks();
        copy = compares ? null : new DiskCopy(image, bitmap, log, clock, bytesPerSecond);
        cursor = bitmap.nextDirty(0);
    }

    /** What is to be done, for the user. */
    public String description() {
        final long mib = (blocksTotal * DirtyBitmap.BLOCK_BYTES) >> 20;
        if (blocksTotal == 0) {
            return "the backup has all that changed here";
        }
        return compares
                ? "comparing " + mib + " MiB with the backup's by hashes; what differs is copied"
                        + (bitmap.doubt() == null ? "" : " (" + bitmap.doubt() + ")")
                : "copying what the backup lacks of " + mib + " MiB, as far as it is no hole";
    }

    /**
     * Goes on as far as there is room to spare in the log.
     *
     * @param limit blocks at most
     * @param appliedEpoch up to which the backup has applied everything and reported what differs
     * @return how many blocks were dealt with
     */
    public int doWork(final int limit, final long appliedEpoch) {
        if (isDone || log.session() != session || !log.hasRoomToSpare()) {
            return 0;
        }
        return compares ? compareAndCopy(limit, appliedEpoch) : copyMarked(limit, appliedEpoch);
    }

    private int copyMarked(final int limit, final long appliedEpoch) {
        // Looked at first: what the replica's host knows to differ it says with the first epoch.
        final boolean isAllKnown = appliedEpoch >= firstEpoch;
        int count = copyDiffering(limit);
        count += copy.doWork(limit - count);
        copiedBytes = copy.dataBytes() + differingBytes;
        isDone = isAllKnown && copy.isDone() && differing.next(0) < 0;
        return count;
    }

    private int copyDiffering(final int limit) {
        int count = 0;
        for (long block = differing.next(0);
                block >= 0 && count < limit && rate.allows();
                block = differing.next(block + 1)) {
            differing.remove(block);
            rate.add(copyBlock(block));
            count++;
        }
        return count;
    }

    private int compareAndCopy(final int limit, final long appliedEpoch) {
        // Looked at first: what was reported with it is marked by now.
        final boolean isAllKnown = lastComparison >= 0 && appliedEpoch >= lastComparison;
        int count = copyDiffering(limit);
        copiedBytes = differingBytes;
        while (cursor >= 0 && count < limit) {
            image.compare(cursor * DirtyBitmap.BLOCK_BYTES, blockBytes(cursor), scratch.segment());
            final long compared = comparedBlocks;
            comparedBlocks = compared + 1;
            count++;
            cursor = cursor + 1 < bitmap.blocks() ? bitmap.nextDirty(cursor + 1) : -1;
        }
        if (cursor < 0 && lastComparison < 0) {
            lastComparison = log.currentEpoch();
        }
        isDone = isAllKnown && differing.next(0) < 0 && log.session() == session;
        return count;
    }

    private long copyBlock(final long block) {
        final long lengthBytes = blockBytes(block);
        final DiskChange told = image.report(block * DirtyBitmap.BLOCK_BYTES, lengthBytes, scratch.segment());
        if (told != DiskChange.WRITE) {
            return 0;
        }
        differingBytes += lengthBytes;
        return lengthBytes;
    }

    private long blockBytes(final long block) {
        return Math.min(DirtyBitmap.BLOCK_BYTES, image.lengthBytes() - block * DirtyBitmap.BLOCK_BYTES);
    }

    /** The replica's block there is not as ours. Link thread. */
    public void onDifference(final long diskOffset) {
        differing.add(diskOffset / DirtyBitmap.BLOCK_BYTES);
    }

    /** Whether everything that the replica lacked is in the log. */
    public boolean isDone() {
        return isDone;
    }

    /** Blocks that were looked at. */
    public long blocksDone() {
        return compares ? comparedBlocks : copy.blocksDone();
    }

    /** Blocks that are to be looked at. */
    public long blocksTotal() {
        return blocksTotal;
    }

    /** Data that travelled, without holes and zeros. */
    public long copiedBytes() {
        return copiedBytes;
    }

    @Override
    public void close() {
        if (copy != null) {
            copy.close();
        }
        scratch.close();
    }
}
