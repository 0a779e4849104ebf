package org.resilire.disk;

import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.NanoClock;
import org.resilire.linux.AnonymousMemory;

/**
 * Copies to the replica what the bitmap has marked, while the guest uses the disk: all of it the first time, what has changed after
 * an outage. Each block goes through the {@link EpochWriteLog} as if it had just been written, in order with the guest's own changes,
 * and holes stay holes. One pass is enough: what the guest changes behind it is logged by the change itself.
 *
 * <p>What is marked stays marked until the copy {@link #isDone}, the epoch in which it ended has been applied and a generation of the
 * bitmap was begun and cleared; no generation may begin earlier. So a copy that is cut short begins again with no loss.
 *
 * <p>One thread, which must not be the sender's: a full log makes it wait.
 */
public final class DiskCopy implements AutoCloseable {

    private final DiskImage image;
    private final DirtyBitmap bitmap;
    private final EpochWriteLog log;
    private final long session;
    private final CopyRate rate;
    private final AnonymousMemory scratch = AnonymousMemory.reserve("a block to copy", DirtyBitmap.BLOCK_BYTES);
    private final long blocksTotal;
    private long cursor;
    private final AtomicLong blocksDone = new AtomicLong();
    private final AtomicLong dataBytes = new AtomicLong();

    /**
     * Begins.
     *
     * @param image whose observer is the log
     * @param log which has been started
     * @param bytesPerSecond of data, holes and zeros being free; {@link Long#MAX_VALUE} for no limit
     */
    public DiskCopy(
            final DiskImage image,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final NanoClock clock,
            final long bytesPerSecond) {
        this.image = image;
        this.bitmap = bitmap;
        this.log = log;
        session = log.session();
        rate = new CopyRate(clock, bytesPerSecond);
        blocksTotal = bitmap.dirtyBlocks();
        cursor = bitmap.nextDirty(0);
    }

    /**
     * Copies the next blocks.
     *
     * @return how many; 0 if the rate allows none now, all is done, or the copy {@link #isVoid}
     */
    public int doWork(final int limit) {
        int count = 0;
        while (count < limit && cursor >= 0 && !isVoid() && rate.allows()) {
            final long offset = cursor * DirtyBitmap.BLOCK_BYTES;
            final long lengthBytes = Math.min(DirtyBitmap.BLOCK_BYTES, image.lengthBytes() - offset);
            if (image.report(offset, lengthBytes, scratch.segment()) == DiskChange.WRITE) {
                dataBytes.setRelease(dataBytes.getPlain() + lengthBytes);
                rate.add(lengthBytes);
            }
            blocksDone.setRelease(blocksDone.getPlain() + 1);
            count++;
            cursor = cursor + 1 < bitmap.blocks() ? bitmap.nextDirty(cursor + 1) : -1;
        }
        return count;
    }

    /** Whether all that was marked has been logged. */
    public boolean isDone() {
        return cursor < 0 && !isVoid();
    }

    /** True if the log was stopped meanwhile: what was copied may not have been sent, and another copy must begin. */
    public boolean isVoid() {
        return log.session() != session;
    }

    /** Blocks copied so far. Any thread. */
    public long blocksDone() {
        return blocksDone.getAcquire();
    }

    /** Blocks that were to be copied at the start; those that the guest changed meanwhile may come on top. */
    public long blocksTotal() {
        return blocksTotal;
    }

    /** Data copied so far, without holes and zeros. Any thread. */
    public long dataBytes() {
        return dataBytes.getAcquire();
    }

    @Override
    public void close() {
        scratch.close();
    }
}
