package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
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
 * <p>Threads: any change the disk, one at a time under this object's monitor; one, the sender, polls; one begins epochs, in the guest's
 * pause. The last two take no lock: a change may hold the monitor for as long as its data are copied and a page of the bitmap's file is
 * waited for. Nobody may poll while another thread starts or stops.
 */
public final class EpochWriteLog implements WriteObserver, AutoCloseable {

    /** At least this, so that a server's largest write fits a few times over. */
    public static final long MIN_CAPACITY_BYTES = 4L << 20;

    private static final long START_POLL_NANOS = 50_000L;

    /** Of the bitmap, that changes wait for at a time: some microseconds. */
    private static final int WORDS_AT_A_TIME = 1024;

    private final DirtyBitmap bitmap;
    private final AnonymousMemory memory;
    private final long capacityBytes;
    private final long epochQuotaBytes;

    /** Positions only grow; an offset is a position modulo the capacity. The sender moves the head, changes the tail. */
    private final AtomicLong head = new AtomicLong();

    private final AtomicLong tail = new AtomicLong();

    /** Changes that wait for room or for the log to start; without the monitor. */
    private final WaitingThreads waiting = new WaitingThreads();

    private final AtomicLong delayedChanges = new AtomicLong();
    private final AtomicLong delayNanosTotal = new AtomicLong();

    private volatile boolean isBroken;
    private volatile long session;

    /** Written by whoever begins epochs, read by changes. */
    private volatile long epoch;

    /** The tail as the current epoch began. */
    private volatile long epochStart;

    private volatile boolean isPauseExpected;

    // From here on guarded by this object's monitor.
    private boolean isLogging;
    private boolean isStarting;

    /** Changes between their first and last call here. */
    private long underWay;

    /** Promised to changes under way. */
    private long reservedBytes;

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
    public void start() {
        start(() -> true);
    }

    /**
     * The same; a disk that hangs may keep a change under way for ever, while others wait.
     *
     * @param isWanted asked again and again
     * @return false if it was not wanted any more: then nothing is logged
     */
    public boolean start(final BooleanSupplier isWanted) {
        boolean isInterrupted = false;
        boolean isStarted = tryStart();
        while (!isStarted && isWanted.getAsBoolean()) {
            LockSupport.parkNanos(this, START_POLL_NANOS);
            isInterrupted |= Thread.interrupted();
            isStarted = tryStart();
        }
        if (!isStarted) {
            giveUpStart();
        }
        waiting.wakeAll();
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        return isStarted;
    }

    private synchronized void giveUpStart() {
        isStarting = false;
    }

    private synchronized boolean tryStart() {
        // No other change begins until those under way have ended.
        isStarting = underWay > 0;
        if (isStarting) {
            return false;
        }
        clear();
        isLogging = true;
        session = session + 1;
        return true;
    }

    /** Forgets what is logged and lets all that wait go on, marked in the bitmap only. */
    public synchronized void stop() {
        isLogging = false;
        session = session + 1;
        clear();
        waiting.wakeAll();
    }

    /** A number that every start and stop changes: what was logged under another one may never have been sent. */
    public long session() {
        return session;
    }

    private void clear() {
        final long end = tail.get();
        head.set(end);
        epochStart = end;
        reservedBytes = 0;
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
        final long loggedBytes = epochBytes();
        final boolean isWithinQuota =
                isPauseExpected || loggedBytes + reservedBytes + recordBytes <= epochQuotaBytes || loggedBytes == 0;
        return isWithinQuota && recordBytes <= capacityBytes - (tail.get() - head.get()) - reservedBytes;
    }

    /** A hint: whether there is so much room that what can wait, such as a copy, does not make the guest wait. */
    public synchronized boolean hasRoomToSpare() {
        return isLogging
                && !isStarting
                && tail.get() - head.get() + reservedBytes < capacityBytes / 4
                && epochBytes() < epochQuotaBytes / 4;
    }

    /** The current epoch has brought so much that it should end. */
    public boolean isEpochLarge() {
        return epochBytes() >= epochQuotaBytes / 4;
    }

    @Override
    public void beforeChange(final DiskChange change, final long diskOffset, final long lengthBytes) {
        final long recordBytes = WriteRecord.recordBytes(change, lengthBytes);
        if (recordBytes > maxChangeBytes()) {
            throw new IllegalArgumentException(
                    "a change of " + lengthBytes + " bytes is too large for a log of " + capacityBytes);
        }
        if (!tryBegin(change, diskOffset, lengthBytes, recordBytes)) {
            awaitBegin(change, diskOffset, lengthBytes, recordBytes);
        }
    }

    private synchronized boolean tryBegin(
            final DiskChange change, final long diskOffset, final long lengthBytes, final long recordBytes) {
        if (isStarting || !hasRoom(recordBytes)) {
            return false;
        }
        if (isLogging) {
            reservedBytes += recordBytes;
        }
        underWay++;
        // Before the disk changes: a change that is cut short by the end of this process is marked.
        mark(change, diskOffset, lengthBytes);
        return true;
    }

    private void awaitBegin(
            final DiskChange change, final long diskOffset, final long lengthBytes, final long recordBytes) {
        final long startNanos = System.nanoTime();
        delayedChanges.incrementAndGet();
        final int place = waiting.enter();
        boolean isInterrupted = false;
        try {
            while (!tryBegin(change, diskOffset, lengthBytes, recordBytes)) {
                isInterrupted |= waiting.park(place);
            }
        } finally {
            waiting.leave(place);
            delayNanosTotal.addAndGet(System.nanoTime() - startNanos);
        }
        if (isInterrupted) {
            // It is for whoever waits elsewhere: a change must not be left half noted.
            Thread.currentThread().interrupt();
        }
    }

    private void mark(final DiskChange change, final long diskOffset, final long lengthBytes) {
        if (change != DiskChange.COMPARE) {
            bitmap.mark(diskOffset, lengthBytes);
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
            waiting.wakeAll();
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
        // With a full fence: see turnGeneration().
        tail.set(end + recordBytes);
        changesTotal++;
    }

    private void done() {
        underWay--;
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
            waiting.wakeAll();
        }
    }

    /**
     * Hands logged changes on.
     *
     * @return how many the handler took
     */
    public int poll(final LoggedChangeHandler handler, final int limit) {
        final long end = tail.get();
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
            waiting.wakeAll();
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

    /** The guest is about to be paused: until the next epoch begins, changes wait for room only. Any thread; waits for nobody. */
    public void expectPause() {
        isPauseExpected = true;
        waiting.wakeAll();
    }

    /**
     * Labels what is logged from now on with a later epoch. Called while the guest is paused, before it is resumed into it; waits for
     * nobody.
     *
     * <p>A change that is being logged at this instant gets the one label or the other. None is the paused guest's: its changes were answered,
     * and so logged, before it was paused; and those that it starts when it runs again find the new epoch, whose store stands before
     * the system call that resumes it (as in {@link org.resilire.net.OutputEpochs}).
     *
     * @return where the epochs before it end, for {@link #isTaken}; changes that are being logged at this instant apart
     */
    public long beginEpoch(final long newEpoch) {
        if (newEpoch < epoch) {
            throw new IllegalArgumentException("epoch " + newEpoch + " cannot begin after epoch " + epoch);
        }
        epoch = newEpoch;
        final long end = tail.get();
        epochStart = end;
        isPauseExpected = false;
        waiting.wakeAll();
        return end;
    }

    /** The epoch that changes are labelled with now. */
    public long currentEpoch() {
        return epoch;
    }

    /** Whether the sender has taken everything up to such an end. */
    public boolean isTaken(final long mark) {
        return head.getAcquire() >= mark;
    }

    /**
     * Begins a generation of the bitmap, with no change being logged meanwhile; see {@link DirtyBitmap}. Changes wait for moments only,
     * however large the bitmap is: QEMU's stop waits for them.
     *
     * @return the epoch up to which changes may be marked in the generation that ended
     */
    public long beginGeneration() {
        for (long word = 0; word >= 0; ) {
            word = joinOld(word);
        }
        return turnGeneration();
    }

    private synchronized long joinOld(final long fromWord) {
        return bitmap.joinOld(fromWord, WORDS_AT_A_TIME);
    }

    /**
     * The sender may send a change with a later epoch than it is labelled with: once it has sent the end of that. But no later one than this
     * returns. It ends an epoch only after that which follows has begun here, and looks at the tail after that; where it does not see a
     * change then, the change's store of the tail comes later, and so does this load. All four accesses are volatile.
     */
    private synchronized long turnGeneration() {
        bitmap.turn();
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
        // In this order: the tail is then not before it.
        final long start = epochStart;
        return tail.get() - start;
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
    public long delayedChanges() {
        return delayedChanges.get();
    }

    /** How long changes waited for room, together. */
    public long delayNanosTotal() {
        return delayNanosTotal.get();
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
