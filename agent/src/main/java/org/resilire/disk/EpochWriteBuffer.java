package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;

/**
 * The changes of a disk that epochs bring, on the backup, held until they commit and a while longer, until they are applied together.
 * Nothing here touches the disk: of an epoch that never commits, everything is forgotten. What comes from the primary is checked here,
 * against the disk's length and the room; what has passed can be applied.
 *
 * <pre>
 *   0                          committed              used
 *   │ changes of whole epochs  │ of the one that comes │ room
 * </pre>
 *
 * <p>Memory is taken as it is used and given back when the epoch was large. Not thread-safe.
 */
public final class EpochWriteBuffer implements AutoCloseable {

    /** The most that is hashed at once: a comparison is of a block. */
    static final int MAX_COMPARED_BYTES = 256 << 10;

    private static final long KEPT_BYTES = 16L << 20;

    private final AnonymousMemory memory;
    private final UnsafeBuffer window = new UnsafeBuffer(0, 0);
    private final long diskBytes;
    private long epoch = -1;
    private long usedBytes;
    private long committedBytes;
    private long changes;
    private long committedChanges;

    /**
     * Makes an empty buffer.
     *
     * @param capacityBytes for all epochs together; only address space until it is used
     * @param diskBytes length of the disk
     */
    public EpochWriteBuffer(final long capacityBytes, final long diskBytes) {
        this.diskBytes = diskBytes;
        memory = AnonymousMemory.reserve("the disk writes of an epoch", capacityBytes);
    }

    /** Makes room for another epoch: one that has not committed is forgotten. */
    public void begin(final long newEpoch) {
        usedBytes = committedBytes;
        changes = committedChanges;
        epoch = newEpoch;
    }

    /** The epoch has committed: its changes stay until all are {@link #drop}ped. */
    public void commit() {
        committedBytes = usedBytes;
        committedChanges = changes;
    }

    /** What has committed and waits here. */
    public long committedBytes() {
        return committedBytes;
    }

    /** Forgets everything. */
    public void drop() {
        if (usedBytes > KEPT_BYTES) {
            memory.discard(KEPT_BYTES, memory.lengthBytes() - KEPT_BYTES);
        }
        epoch = -1;
        usedBytes = 0;
        committedBytes = 0;
        changes = 0;
        committedChanges = 0;
    }

    /**
     * Adds whole changes as they came from the wire, one {@link WriteRecord} after the other.
     *
     * @param expectedChanges how many they are
     * @return where they stand in {@link #records()}
     * @throws InvalidChangeException if they are not, lie outside the disk or do not fit
     */
    public long append(final int expectedChanges, final DirectBuffer source, final int offset, final int lengthBytes) {
        if (epoch < 0) {
            throw new InvalidChangeException("changes of the disk out of turn");
        }
        if (lengthBytes < 0 || lengthBytes % WriteRecord.HEADER_BYTES != 0) {
            throw new InvalidChangeException("changes of the disk in " + lengthBytes + " bytes");
        }
        requireRoom(lengthBytes);
        final long at = usedBytes;
        if (lengthBytes > 0) {
            // SAFETY: the range is within the mapping, which lives until close().
            window.wrap(memory.segment().address() + at, lengthBytes);
            source.getBytes(offset, window, 0, lengthBytes);
        }
        requireChanges(at, at + lengthBytes, expectedChanges);
        usedBytes = at + lengthBytes;
        changes += expectedChanges;
        return at;
    }

    private void requireChanges(final long from, final long end, final int expectedChanges) {
        final MemorySegment records = memory.segment();
        int found = 0;
        for (long at = from; at < end; found++) {
            final int code = WriteRecord.changeCode(records, at);
            if (!DiskChange.isCode(code)) {
                throw new InvalidChangeException("no change of a disk has the code " + code);
            }
            final DiskChange change = DiskChange.of(code);
            final long lengthBytes = WriteRecord.lengthBytes(records, at);
            requireOnDisk(change, WriteRecord.diskOffset(records, at), lengthBytes);
            final long dataBytes = WriteRecord.dataBytes(change, lengthBytes);
            if (WriteRecord.dataBytes(records, at) != dataBytes || WriteRecord.recordBytes(dataBytes) > end - at) {
                throw new InvalidChangeException("a change of " + lengthBytes + " bytes is cut off");
            }
            at += WriteRecord.recordBytes(dataBytes);
        }
        if (found != expectedChanges) {
            throw new InvalidChangeException(found + " changes of the disk, " + expectedChanges + " announced");
        }
    }

    private void requireOnDisk(final DiskChange change, final long diskOffset, final long lengthBytes) {
        if (lengthBytes <= 0 || diskOffset < 0 || diskOffset > diskBytes - lengthBytes) {
            throw new InvalidChangeException("a change of " + lengthBytes + " bytes at " + diskOffset
                    + " does not lie in a disk of " + diskBytes + " bytes");
        }
        if (change == DiskChange.WRITE && lengthBytes > Integer.MAX_VALUE) {
            throw new InvalidChangeException("a write of " + lengthBytes + " bytes is too long");
        }
        if (change == DiskChange.COMPARE && lengthBytes > MAX_COMPARED_BYTES) {
            throw new InvalidChangeException("a comparison of " + lengthBytes + " bytes is too long");
        }
    }

    private void requireRoom(final long recordBytes) {
        if (recordBytes > memory.lengthBytes() - usedBytes) {
            throw new InvalidChangeException(
                    "more than " + memory.lengthBytes() + " bytes of disk writes in epoch " + epoch);
        }
    }

    /** The epoch whose changes are here; -1 if none. */
    public long epoch() {
        return epoch;
    }

    /** How many changes are here. */
    public long changes() {
        return changes;
    }

    /** Over all that has committed. */
    long checksum() {
        return Checksum.hash(memory.segment(), 0, committedBytes);
    }

    /** All of it; only the first {@link #committedBytes()} may be applied. */
    MemorySegment records() {
        return memory.segment();
    }

    @Override
    public void close() {
        memory.close();
    }
}
