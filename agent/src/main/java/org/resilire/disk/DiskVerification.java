package org.resilire.disk;

import java.util.ArrayList;
import java.util.List;
import org.resilire.linux.AnonymousMemory;

/**
 * Compares a whole disk with its replica while the guest uses it: the hash of each block goes through the log as if it were a change,
 * so that the replica compares its own block as it is after the same changes. Changes nothing.
 *
 * <p>One thread, which must not be the sender's; {@link #onDifference} is for the link's.
 */
public final class DiskVerification implements AutoCloseable {

    /** Differing blocks that are named. */
    public static final int NAMED_BLOCKS = 16;

    /**
     * What came of it.
     *
     * @param firstDiffering byte offsets, at most {@value #NAMED_BLOCKS}
     */
    public record Result(String disk, long comparedBlocks, long differingBlocks, List<Long> firstDiffering) {}

    private final PrimaryDisk disk;
    private final long session;
    private final AnonymousMemory scratch = AnonymousMemory.reserve("a block to compare", DirtyBitmap.BLOCK_BYTES);
    private final long blocks;
    private long cursor;
    private long lastComparison = -1;

    // Guarded by this object's monitor.
    private long differingBlocks;
    private final List<Long> firstDiffering = new ArrayList<>();

    /** Begins, in a session in which the disk's log was started. */
    public DiskVerification(final PrimaryDisk disk) {
        this.disk = disk;
        session = disk.log().session();
        blocks = disk.bitmap().blocks();
    }

    /** Goes on as far as there is room to spare in the log; returns how many blocks were dealt with. */
    public int doWork(final int limit) {
        int count = 0;
        while (cursor < blocks && count < limit && !isVoid() && disk.log().hasRoomToSpare()) {
            final long offset = cursor * DirtyBitmap.BLOCK_BYTES;
            disk.image()
                    .compare(
                            offset,
                            Math.min(DirtyBitmap.BLOCK_BYTES, disk.image().lengthBytes() - offset),
                            scratch.segment());
            cursor++;
            count++;
        }
        if (cursor == blocks && lastComparison < 0) {
            lastComparison = disk.log().currentEpoch();
        }
        return count;
    }

    /** The replica's block there is not as ours. Link thread. */
    public synchronized void onDifference(final long diskOffset) {
        differingBlocks++;
        if (firstDiffering.size() < NAMED_BLOCKS) {
            firstDiffering.add(diskOffset);
        }
    }

    /** The session that it belongs to is over. */
    public boolean isVoid() {
        return disk.log().session() != session;
    }

    /**
     * Whether the replica has compared everything.
     *
     * @param appliedEpoch up to which it has, and has reported what differs
     */
    public boolean isDone(final long appliedEpoch) {
        return lastComparison >= 0 && appliedEpoch >= lastComparison;
    }

    /** How many blocks were told to the replica. */
    public long comparedBlocks() {
        return cursor;
    }

    /** How many there are. */
    public long blocks() {
        return blocks;
    }

    /** What came of it, once it is done. */
    public synchronized Result result() {
        return new Result(disk.name(), cursor, differingBlocks, List.copyOf(firstDiffering));
    }

    @Override
    public void close() {
        scratch.close();
    }
}
