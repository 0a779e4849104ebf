package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import org.agrona.BitUtil;
import org.resilire.linux.AnonymousMemory;

/**
 * The primary's copy of every change of a disk, in the order in which changes took effect, each with the epoch that it belongs
 * to, until the sender has taken it. It also marks every change in the {@link DirtyBitmap}, whether or not it is logging.
 *
 * <p>A change is logged before its answer leaves. A guest that is stopped has its answers, QEMU waits for them; so what is logged
 * while epoch <i>n</i> is current is all that the guest, as epoch <i>n</i>'s checkpoint has it, knows to have happened, and a change
 * that the guest starts after it was resumed into <i>n</i> + 1 is labelled so.
 *
 * <p>The log is bounded. A change that finds no room waits before it touches the disk: the guest is slowed down to what the sender
 * can take, nothing is dropped, and {@link #delayNanosTotal()} tells. Room comes back when a change is taken, not when its epoch
 * commits: QEMU's stop waits for changes under way, so one that waited for the commit of its own epoch would wait for ever.
 * Whoever decides when epochs end should end one early that has grown large ({@link #epochBytes}).
 *
 * <p>Threads: any change the disk; one, the sender, polls, starts and stops; one begins epochs.
 */
public final class EpochWriteLog implements WriteObserver, AutoCloseable {

    /** At least this, so that a server's largest write fits a few times over. */
    public static final long MIN_CAPACITY_BYTES = 4L << 20;

    private final DirtyBitmap bitmap;
    private final AnonymousMemory memory;
    private final long capacityBytes;

    // From here on guarded by this object's monitor, on which every change that cannot go on waits.
    private boolean isLogging;
    private long session;
    private boolean isStarting;

    /** Changes between their first and last call here. */
    private long underWay;

    /** Promised to changes under way. */
    private long reservedBytes;

    /** Positions only grow; an offset is a position modulo the capacity. */
    private long head;

    private long tail;
    private boolean isBroken;
    private long epoch;
    private long epochBytes;
    private long delayedChanges;
    private long delayNanosTotal;
    private long changesTotal;

    /**
     * Makes a log that does not log yet.
     *
     * @param capacityBytes a power of two
     */
    public EpochWriteLog(final long capacityBytes, final DirtyBitmap bitmap) {
        if (capacityBytes < MIN_CAPACITY_BYTES || !BitUtil.isPowerOfTwo(capacityBytes)) {
            throw new IllegalArgumentException("a log of writes must have a power of two of bytes, at least "
                    + MIN_CAPACITY_BYTES + ", not " + capacityBytes);
        }
        this.capacityBytes = capacityBytes;
        this.bitmap = bitmap;
        memory = AnonymousMemory.reserve("logged writes", capacityBytes);
    }

    /** The largest change that it takes. */
    public long maxChangeBytes() {
        return capacityBytes / 2;
    }

    /** Begins to log, once no change is under way: every change is either marked only, before this returns, or logged. */
    public synchronized void start() {
        isStarting = true;
        while (underWay > 0) {
            awaitProgress();
        }
        isStarting = false;
        clear();
        isBroken = false;
        isLogging = true;
        session++;
        notifyAll();
    }

    /** Forgets what is logged and lets all that wait go on, marked in the bitmap only. */
    public synchronized void stop() {
        isLogging = false;
        session++;
        clear();
        notifyAll();
    }

    /** A number that every start and stop changes: what was logged under another one may never have been sent. */
    public synchronized long session() {
        return session;
    }

    private void clear() {
        head = 0;
        tail = 0;
        reservedBytes = 0;
        epochBytes = 0;
    }

    @Override
    public synchronized boolean isReady(final DiskChange change, final long lengthBytes) {
        return !isStarting && hasRoom(WriteRecord.recordBytes(change, lengthBytes));
    }

    private boolean hasRoom(final long recordBytes) {
        return !isLogging || recordBytes <= capacityBytes - (tail - head) - reservedBytes;
    }

    @Override
    public synchronized void beforeChange(final DiskChange change, final long diskOffset, final long lengthBytes) {
        final long recordBytes = WriteRecord.recordBytes(change, lengthBytes);
        if (recordBytes > maxChangeBytes()) {
            throw new IllegalArgumentException(
                    "a change of " + lengthBytes + " bytes is too large for a log of " + capacityBytes);
        }
        if (isStarting || !hasRoom(recordBytes)) {
            awaitRoom(recordBytes);
        }
        if (isLogging) {
            reservedBytes += recordBytes;
        }
        underWay++;
        // Before the disk changes: a change that is cut short by the end of this process is marked.
        bitmap.mark(diskOffset, lengthBytes);
    }

    private void awaitRoom(final long recordBytes) {
        final long startNanos = System.nanoTime();
        delayedChanges++;
        while (isStarting || !hasRoom(recordBytes)) {
            awaitProgress();
        }
        delayNanosTotal += System.nanoTime() - startNanos;
    }

    /** An interruption is for whoever waits elsewhere: a change must not be left half noted. */
    private void awaitProgress() {
        boolean isInterrupted = false;
        while (true) {
            try {
                wait();
                break;
            } catch (final InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public synchronized void changed(
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment data,
            final long dataOffset) {
        // Again, and kept apart from the beginning of a generation: in the layer of the epoch that it is logged in.
        bitmap.mark(diskOffset, lengthBytes);
        if (isLogging) {
            final long recordBytes = WriteRecord.recordBytes(change, lengthBytes);
            reservedBytes -= recordBytes;
            append(change, diskOffset, lengthBytes, data, dataOffset, recordBytes);
        }
        done();
    }

    @Override
    public synchronized void reported(
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment data,
            final long dataOffset) {
        bitmap.mark(diskOffset, lengthBytes);
        if (isLogging) {
            reservedBytes -= WriteRecord.recordBytes(DiskChange.WRITE, lengthBytes);
            final long recordBytes = WriteRecord.recordBytes(change, lengthBytes);
            append(change, diskOffset, lengthBytes, data, dataOffset, recordBytes);
            // It may have needed less than it had reserved.
            notifyAll();
        }
        done();
    }

    private void append(
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment data,
            final long dataOffset,
            final long recordBytes) {
        final long at = tail & (capacityBytes - 1);
        WriteRecord.put(memory.segment(), at, epoch, change, diskOffset, lengthBytes);
        if (change == DiskChange.WRITE) {
            final long start = at + WriteRecord.HEADER_BYTES;
            final long firstBytes = Math.min(lengthBytes, capacityBytes - start);
            MemorySegment.copy(data, dataOffset, memory.segment(), start, firstBytes);
            MemorySegment.copy(data, dataOffset + firstBytes, memory.segment(), 0, lengthBytes - firstBytes);
        }
        tail += recordBytes;
        changesTotal++;
        epochBytes += recordBytes;
    }

    private void done() {
        underWay--;
        if (isStarting) {
            notifyAll();
        }
    }

    @Override
    public synchronized void unchanged(final DiskChange change, final long lengthBytes) {
        release(change, lengthBytes);
        done();
    }

    @Override
    public synchronized void uncertain(final DiskChange change, final long diskOffset, final long lengthBytes) {
        bitmap.mark(diskOffset, lengthBytes);
        // What the disk holds there cannot be told by a record, so the replica must be made equal in another way.
        isBroken |= isLogging;
        release(change, lengthBytes);
        done();
    }

    private void release(final DiskChange change, final long lengthBytes) {
        if (isLogging) {
            reservedBytes -= WriteRecord.recordBytes(change, lengthBytes);
            notifyAll();
        }
    }

    /**
     * Hands logged changes on.
     *
     * @return how many the handler took
     */
    public int poll(final LoggedChangeHandler handler, final int limit) {
        final long end;
        long at;
        synchronized (this) {
            end = tail;
            at = head;
        }
        int count = 0;
        // Records between the two are written no more; only this thread moves the head.
        while (at < end && count < limit) {
            final long recordBytes = offer(handler, at & (capacityBytes - 1));
            if (recordBytes == 0) {
                break;
            }
            at += recordBytes;
            count++;
        }
        if (count > 0) {
            synchronized (this) {
                head = at;
                notifyAll();
            }
        }
        return count;
    }

    private long offer(final LoggedChangeHandler handler, final long at) {
        final MemorySegment ring = memory.segment();
        final int dataBytes = WriteRecord.dataBytes(ring, at);
        final long dataOffset = at + WriteRecord.HEADER_BYTES;
        final int firstBytes = (int) Math.min(dataBytes, capacityBytes - dataOffset);
        final boolean isTaken = handler.onChange(
                WriteRecord.epoch(ring, at),
                WriteRecord.change(ring, at),
                WriteRecord.diskOffset(ring, at),
                WriteRecord.lengthBytes(ring, at),
                ring,
                firstBytes == 0 ? 0 : dataOffset,
                firstBytes,
                dataBytes - firstBytes);
        return isTaken ? WriteRecord.recordBytes(dataBytes) : 0;
    }

    /**
     * Labels what is logged from now on with a later epoch. Called while the guest is paused, before it is resumed into it.
     *
     * @return where the epochs before it end, for {@link #isTaken}
     */
    public synchronized long beginEpoch(final long newEpoch) {
        if (newEpoch < epoch) {
            throw new IllegalArgumentException("epoch " + newEpoch + " cannot begin after epoch " + epoch);
        }
        epoch = newEpoch;
        epochBytes = 0;
        return tail;
    }

    /** Whether the sender has taken everything up to such an end. */
    public synchronized boolean isTaken(final long mark) {
        return head >= mark;
    }

    /** Begins a generation of the bitmap, with no change being logged meanwhile; see {@link DirtyBitmap}. */
    public synchronized void beginGeneration() {
        bitmap.beginGeneration();
    }

    /** True if a change failed half-way: the session must end, and the next one copies what the bitmap has. */
    public synchronized boolean isBroken() {
        return isBroken;
    }

    /** What the current epoch has logged so far. */
    public synchronized long epochBytes() {
        return epochBytes;
    }

    /** Changes that had to wait for room. */
    public synchronized long delayedChanges() {
        return delayedChanges;
    }

    /** How long changes waited for room, together. */
    public synchronized long delayNanosTotal() {
        return delayNanosTotal;
    }

    /** Changes logged. */
    public synchronized long changesTotal() {
        return changesTotal;
    }

    /** When no change can come any more. */
    @Override
    public void close() {
        memory.close();
    }
}
