package org.resilire.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.agrona.BitUtil;
import org.agrona.CloseHelper;
import org.resilire.linux.AnonymousMemory;
import org.resilire.linux.BlockFile;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;

/**
 * A replica's disk as it was at one instant, to be written to by a trial, while the replica itself goes on changing and notices nothing of
 * what the trial does: a block is read from the replica until somebody is about to change it, and from a scratch file from then on.
 *
 * <pre>
 *   a later epoch changes the replica: {@link #preserve} first ──► what the block held then ──┐
 *   the trial writes: what the block held then, and the write over it ────────────────────────┴─► scratch file, one bit a block
 * </pre>
 *
 * <p>The bit of a block is set once, under its lock, when the scratch file has it; whoever reads or copies a block holds that lock, too. So
 * what is read from the replica was read before anybody changed it. The scratch file has no name, and goes with this object. It takes
 * as much room as the two change in blocks of 16 KiB; if it gets none, the trial is over, and nobody else is the worse for it.
 *
 * <p>One thread may preserve, any number use the disk.
 */
final class TrialDisk implements ServedDisk, AutoCloseable {

    static final int BLOCK_BYTES = 16 << 10;

    /** What is copied for one change at most, so that it does not wait for long: a guest may discard a whole disk at once. */
    static final long MAX_PRESERVED_BYTES = 64L << 20;

    private static final int STRIPES = 64;
    private static final int BLOCKS_A_LOOK = 256;

    private final DiskImage replica;
    private final BlockFile scratch;
    private final BooleanSupplier hasRoom;
    private final AtomicLongArray diverged;
    private final ReentrantLock[] locks = new ReentrantLock[STRIPES];

    /** A block for each lock, and one that stays zero. */
    private final AnonymousMemory buffers =
            AnonymousMemory.reserve("blocks of a trial's disk", (STRIPES + 1L) * BLOCK_BYTES);

    private final AtomicLong scratchBlocks = new AtomicLong();
    private volatile String failure;

    private TrialDisk(final DiskImage replica, final BlockFile scratch, final BooleanSupplier hasRoom) {
        this.replica = replica;
        this.scratch = scratch;
        this.hasRoom = hasRoom;
        diverged = new AtomicLongArray(Math.toIntExact((blocks() + Long.SIZE - 1) / Long.SIZE));
        for (int i = 0; i < STRIPES; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    /**
     * Makes one of which nothing is preserved yet.
     *
     * @param scratch a file to be made, and to have no name when this returns
     * @param hasRoom whether the scratch file may grow by a few mebibytes; asked as often as it has
     */
    static TrialDisk open(final DiskImage replica, final Path scratch, final BooleanSupplier hasRoom)
            throws IOException {
        Files.deleteIfExists(scratch);
        Files.createFile(scratch, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        BlockFile file = null;
        try {
            try (RandomAccessFile empty = new RandomAccessFile(scratch.toFile(), "rw")) {
                empty.setLength(BitUtil.align(replica.lengthBytes(), BLOCK_BYTES));
            }
            file = BlockFile.open(scratch, true);
            return new TrialDisk(replica, file, hasRoom);
        } catch (final IOException | RuntimeException e) {
            CloseHelper.quietClose(file);
            throw e;
        } finally {
            Files.delete(scratch);
        }
    }

    // ---------------------------------------------------------------- whoever changes the replica

    /** This range of the replica is about to change. Never fails: if it cannot be preserved, the trial is over. */
    void preserve(final long diskOffset, final long lengthBytes) {
        final long end = blockOf(diskOffset + lengthBytes - 1) + 1;
        long copiedBytes = 0;
        try {
            for (long block = blockOf(diskOffset); block < end && failure == null; ) {
                final long behindHole = preserveHole(block, end);
                if (behindHole > block) {
                    block = behindHole;
                } else {
                    copiedBytes += preserveBlock(block) ? BLOCK_BYTES : 0;
                    block++;
                }
                if (copiedBytes > MAX_PRESERVED_BYTES) {
                    fail("the guest has changed too much at once to keep what was there");
                }
            }
        } catch (final LinuxException e) {
            fail("what it has to keep cannot be kept: " + e.getMessage());
        }
    }

    /** Returns whether anything was copied. */
    private boolean preserveBlock(final long block) {
        if (isDiverged(block)) {
            return false;
        }
        final ReentrantLock lock = lockOf(block);
        lock.lock();
        try {
            return failure == null && !isDiverged(block) && copy(block);
        } finally {
            lock.unlock();
        }
    }

    /** Returns where a long hole ends that begins with this block, all of it preserved; the block itself if none does. */
    private long preserveHole(final long first, final long end) {
        final long at = first * BLOCK_BYTES;
        if (end - first < STRIPES || isDiverged(first) || !replica.isHole(at)) {
            return first;
        }
        final long holeEnd = replica.extentEnd(at, true);
        final long last = holeEnd == replica.lengthBytes() ? end : Math.min(end, holeEnd / BLOCK_BYTES);
        lockAll();
        try {
            for (long block = first; block < last; block++) {
                diverge(block);
            }
        } finally {
            unlockAll();
        }
        return last;
    }

    private void lockAll() {
        for (final ReentrantLock lock : locks) {
            lock.lock();
        }
    }

    private void unlockAll() {
        for (final ReentrantLock lock : locks) {
            lock.unlock();
        }
    }

    /** The trial is over: it gets errors from here on, and nothing is preserved for it. The first reason counts. Any thread. */
    void fail(final String why) {
        if (failure == null) {
            failure = why;
        }
    }

    /** Why the trial is over; null if it is not. */
    String failure() {
        return failure;
    }

    /** What the scratch file holds, at most. */
    long scratchBytes() {
        return scratchBlocks.get() * BLOCK_BYTES;
    }

    // ---------------------------------------------------------------- blocks

    private long blocks() {
        return blockOf(replica.lengthBytes() - 1) + 1;
    }

    private static long blockOf(final long diskOffset) {
        return diskOffset / BLOCK_BYTES;
    }

    /** The disk may end within its last block. */
    private long blockBytes(final long block) {
        return Math.min(BLOCK_BYTES, replica.lengthBytes() - block * BLOCK_BYTES);
    }

    private ReentrantLock lockOf(final long block) {
        return locks[(int) (block % STRIPES)];
    }

    private boolean isDiverged(final long block) {
        return (diverged.get((int) (block / Long.SIZE)) & (1L << block)) != 0;
    }

    /** The scratch file has it. */
    private void diverge(final long block) {
        final int index = (int) (block / Long.SIZE);
        long word;
        do {
            word = diverged.get(index);
        } while (!diverged.compareAndSet(index, word, word | (1L << block)));
    }

    /** Holding the block's lock. Returns whether it was more than a hole. */
    private boolean copy(final long block) {
        final long at = block * BLOCK_BYTES;
        final long lengthBytes = blockBytes(block);
        final boolean isHole = replica.isHole(at) && replica.extentEnd(at, true) >= at + lengthBytes;
        if (!isHole) {
            takeRoom();
            final long buffer = block % STRIPES * BLOCK_BYTES;
            replica.read(buffers.segment(), buffer, lengthBytes, at);
            scratch.write(buffers.segment(), buffer, lengthBytes, at);
        }
        diverge(block);
        return !isHole;
    }

    private void takeRoom() {
        if (scratchBlocks.getAndIncrement() % BLOCKS_A_LOOK == 0 && !hasRoom.getAsBoolean()) {
            throw new LinuxException(
                    "write",
                    "a trial's scratch file",
                    Errno.ENOSPC,
                    "it must not take the room of what protects the guest");
        }
    }

    private void requireSound() {
        final String why = failure;
        if (why != null) {
            throw new LinuxException("use", "a trial's disk", Errno.EIO, why);
        }
    }

    // ---------------------------------------------------------------- the trial

    @Override
    public long lengthBytes() {
        return replica.lengthBytes();
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public void read(final MemorySegment into, final long intoOffset, final long lengthBytes, final long diskOffset) {
        requireInside(diskOffset, lengthBytes);
        for (long done = 0; done < lengthBytes; ) {
            final long at = diskOffset + done;
            final long block = blockOf(at);
            final long pieceBytes = Math.min(lengthBytes - done, (block + 1) * BLOCK_BYTES - at);
            final ReentrantLock lock = lockOf(block);
            lock.lock();
            try {
                requireSound();
                if (isDiverged(block)) {
                    scratch.read(into, intoOffset + done, pieceBytes, at);
                } else {
                    replica.read(into, intoOffset + done, pieceBytes, at);
                }
            } finally {
                lock.unlock();
            }
            done += pieceBytes;
        }
    }

    @Override
    public boolean readCached(
            final MemorySegment into, final long intoOffset, final long lengthBytes, final long diskOffset) {
        return false;
    }

    @Override
    public void write(
            final MemorySegment from,
            final long fromOffset,
            final long lengthBytes,
            final long diskOffset,
            final boolean isDurable) {
        change(from, fromOffset, lengthBytes, diskOffset);
    }

    @Override
    public void zero(final long diskOffset, final long lengthBytes, final boolean keepsRoom, final boolean isDurable) {
        change(null, 0, lengthBytes, diskOffset);
    }

    @Override
    public void trim(final long diskOffset, final long lengthBytes, final boolean isDurable) {
        change(null, 0, lengthBytes, diskOffset);
    }

    /** @param from null for zeros */
    private void change(
            final MemorySegment from, final long fromOffset, final long lengthBytes, final long diskOffset) {
        requireInside(diskOffset, lengthBytes);
        for (long done = 0; done < lengthBytes; ) {
            final long at = diskOffset + done;
            final long block = blockOf(at);
            final long pieceBytes = Math.min(lengthBytes - done, (block + 1) * BLOCK_BYTES - at);
            final ReentrantLock lock = lockOf(block);
            lock.lock();
            try {
                requireSound();
                changePiece(block, at, pieceBytes, from, fromOffset + done);
            } catch (final LinuxException e) {
                // What the scratch file holds there cannot be told.
                fail("its scratch file cannot be written: " + e.getMessage());
                throw e;
            } finally {
                lock.unlock();
            }
            done += pieceBytes;
        }
    }

    private void changePiece(
            final long block, final long at, final long pieceBytes, final MemorySegment from, final long fromOffset) {
        final boolean isNew = !isDiverged(block);
        final boolean isWhole = pieceBytes == blockBytes(block);
        if (isNew && !isWhole) {
            copy(block);
        }
        if (from != null) {
            if (isNew && isWhole) {
                takeRoom();
            }
            scratch.write(from, fromOffset, pieceBytes, at);
        } else if (!(isNew && isWhole) && !scratch.punchHole(at, pieceBytes)) {
            // A block that is new to the scratch file is a hole there.
            scratch.write(buffers.segment(), (long) STRIPES * BLOCK_BYTES, pieceBytes, at);
        }
        diverge(block);
    }

    /** What is thrown away needs no stable storage. */
    @Override
    public void flush() {}

    @Override
    public boolean needsFlush() {
        return false;
    }

    @Override
    public boolean isReadyFor(final DiskChange change, final long lengthBytes) {
        // It may have to read first.
        return false;
    }

    @Override
    public boolean isHole(final long diskOffset) {
        requireInside(diskOffset, 1);
        return false;
    }

    @Override
    public long extentEnd(final long diskOffset, final boolean isHole) {
        requireInside(diskOffset, 1);
        return lengthBytes();
    }

    /** Once nobody uses it; whoever preserves may still be at it. */
    @Override
    public void close() {
        fail("it is closed");
        lockAll();
        try {
            scratch.close();
            buffers.close();
        } finally {
            unlockAll();
        }
    }
}
