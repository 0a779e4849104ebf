package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
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
 * Whoever decides when epochs end should end one early that has grown large ({@link #epochBytes}); beyond the quota of an epoch, what
 * the backup must be able to hold, changes wait too, until the guest is about to be paused ({@link #expectPause}): what is under way
 * then must get through, or the pause would never come.
 *
 * <p>Threads: any change the disk; one, the sender, polls, without taking a lock unless somebody waits for room; one begins epochs.
 * Nobody may poll while another thread starts or stops.
 */
public final class EpochWriteLog implements WriteObserver, AutoCloseable {

    /** At least this, so that a server's largest write fits a few times over. */
    public static final long MIN_CAPACITY_BYTES = 4L << 20;

    private final DirtyBitmap bitmap;
    private final AnonymousMemory memory;
    private final long capacityBytes;
    private final long epochQuotaBytes;

    /** Positions only grow; an offset is a position modulo the capacity. The sender moves the head, changes the tail. */
    private final AtomicLong head = new AtomicLong();

    private final AtomicLong tail = new AtomicLong();

    /** Changes that wait for room: the sender looks here before it wakes anybody. */
    private volatile int waiting;

    private volatile boolean isBroken;
    private volatile long session;
    private volatile long epochBytes;

    // From here on guarded by this object's monitor, on which every change that cannot go on waits.
    private boolean isLogging;
    private boolean isStarting;
    private boolean isPauseExpected;

    /** Changes between their first and last call here. */
    private long underWay;

    /** Promised to changes under way. */
    private long reservedBytes;

    private long epoch;
    private int waiters;
    private long delayedChanges;
    private long delayNanosTotal;
    private long changesTotal;
    private long writtenBytesTotal;

    /** Makes a log whose epochs may grow as they like. */
    public EpochWriteLog(final long capacityBytes, final DirtyBitmap bitmap) {
        this(capacityBytes, Long.MAX_VALUE, bitmap);
    }

    /**
     * Makes a log that does not log yet.
     *
     * @param capacityBytes a power of two
     * @param epochQuotaBytes what an epoch may bring before changes wait for its end
     */
    public EpochWriteLog(final long capacityBytes, final long epochQuotaBytes, final DirtyBitmap bitmap) {
        if (capacityBytes < MIN_CAPACITY_BYTES || !BitUtil.isPowerOfTwo(capacityBytes)) {
            throw new IllegalArgumentException("a log of writes must have a power of two of bytes, at least "
                    + MIN_CAPACITY_BYTES + ", not " + capacityBytes);
        }
        this.capacityBytes = capacityBytes;
        this.epochQuotaBytes = epochQuotaBytes;
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
        isLogging = true;
        session = session + 1;
        notifyAll();
    }

    /** Forgets what is logged and lets all that wait go on, marked in the bitmap only. */
    public synchronized void stop() {
        isLogging = false;
        session = session + 1;
        clear();
        notifyAll();
    }

    /** A number that every start and stop changes: what was logged under another one may never have been sent. */
    public long session() {
        return session;
    }

    private void clear() {
        head.set(0);
        tail.set(0);
        reservedBytes = 0;
        epochBytes = 0;
        isPauseExpected = false;
        isBroken = false;
    }

    @Override
    public synchronized boolean isReady(final DiskChange change, final long lengthBytes) {
        return !isStarting && hasRoom(WriteRecord.recordBytes(change, lengthBytes));
    }

    private boolean hasRoom(final long recordBytes) {
        if (!isLogging) {
            return true;
        }
        final boolean isWithinQuota =
                isPauseExpected || epochBytes + reservedBytes + recordBytes <= epochQuotaBytes || epochBytes == 0;
        return isWithinQuota && recordBytes <= capacityBytes - (tail.get() - head.get()) - reservedBytes;
    }

    /** A hint: whether there is so much room that what can wait, such as a copy, does not make the guest wait. */
    public synchronized boolean hasRoomToSpare() {
        return isLogging
                && !isStarting
                && tail.get() - head.get() + reservedBytes < capacityBytes / 4
                && epochBytes < epochQuotaBytes / 4;
    }

    /** The current epoch has brought so much that it should end. */
    public boolean isEpochLarge() {
        return epochBytes >= epochQuotaBytes / 4;
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
        mark(change, diskOffset, lengthBytes);
    }

    private void mark(final DiskChange change, final long diskOffset, final long lengthBytes) {
        if (change != DiskChange.COMPARE) {
            bitmap.mark(diskOffset, lengthBytes);
        }
    }

    private void awaitRoom(final long recordBytes) {
        final long startNanos = System.nanoTime();
        delayedChanges++;
        // Before the last look: the sender moves the head before it looks at this.
        waiters++;
        waiting = waiters;
        while (isStarting || !hasRoom(recordBytes)) {
            awaitProgress();
        }
        waiters--;
        waiting = waiters;
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
        mark(change, diskOffset, lengthBytes);
        writtenBytesTotal += change == DiskChange.WRITE ? lengthBytes : 0;
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
        final long end = tail.getPlain();
        final long at = end & (capacityBytes - 1);
        WriteRecord.put(memory.segment(), at, epoch, change, diskOffset, lengthBytes);
        final long dataBytes = WriteRecord.dataBytes(change, lengthBytes);
        if (dataBytes > 0) {
            final long start = at + WriteRecord.HEADER_BYTES;
            final long firstBytes = Math.min(dataBytes, capacityBytes - start);
            MemorySegment.copy(data, dataOffset, memory.segment(), start, firstBytes);
            MemorySegment.copy(data, dataOffset + firstBytes, memory.segment(), 0, dataBytes - firstBytes);
        }
        tail.setRelease(end + recordBytes);
        changesTotal++;
        final long before = epochBytes;
        epochBytes = before + recordBytes;
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
        mark(change, diskOffset, lengthBytes);
        // What the disk holds there cannot be told by a record, so the replica must be made equal in another way.
        if (isLogging) {
            isBroken = true;
        }
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
        final long end = tail.getAcquire();
        long at = head.getPlain();
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
            head.set(at);
            if (waiting > 0) {
                wakeAll();
            }
        }
        return count;
    }

    private synchronized void wakeAll() {
        notifyAll();
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

    /** The guest is about to be paused: until the next epoch begins, changes wait for room only. Any thread. */
    public synchronized void expectPause() {
        isPauseExpected = true;
        notifyAll();
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
        isPauseExpected = false;
        notifyAll();
        return tail.getPlain();
    }

    /** The epoch that changes are labelled with now. */
    public synchronized long currentEpoch() {
        return epoch;
    }

    /** Whether the sender has taken everything up to such an end. */
    public boolean isTaken(final long mark) {
        return head.getAcquire() >= mark;
    }

    /**
     * Begins a generation of the bitmap, with no change being logged meanwhile; see {@link DirtyBitmap}.
     *
     * @return the epoch up to which changes may be marked in the generation that ended
     */
    public synchronized long beginGeneration() {
        bitmap.beginGeneration();
        return epoch;
    }

    /** From here on the bitmap is about this replica: all of it is marked if it was about another. */
    public synchronized void adopt(final UUID replica) {
        bitmap.adopt(replica);
    }

    /** From here on the bitmap is about this replica, which is equal to the disk: nothing is marked. */
    synchronized void trust(final UUID replica) {
        bitmap.trust(replica);
    }

    /** True if a change failed half-way: the session must end, and the next one copies what the bitmap has. */
    public boolean isBroken() {
        return isBroken;
    }

    /** What the current epoch has logged so far. */
    public long epochBytes() {
        return epochBytes;
    }

    /** What waits for the sender. */
    public long loggedBytes() {
        return tail.getAcquire() - head.getAcquire();
    }

    /** What was written, logged or not, without zeros. */
    public synchronized long writtenBytesTotal() {
        return writtenBytesTotal;
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
