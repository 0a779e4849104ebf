package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;

/**
 * The changes of a disk that one epoch brings, on the backup, held until the epoch commits. Nothing here touches the disk: an epoch
 * that never commits is {@link #drop}ped. What comes from the primary is checked here, against the disk's length and the room;
 * what has passed can be applied.
 *
 * <p>Memory is taken as it is used and given back when the epoch was large. Not thread-safe.
 */
public final class EpochWriteBuffer implements AutoCloseable {

    private static final long KEPT_BYTES = 16L << 20;

    private final AnonymousMemory memory;
    private final long diskBytes;
    private long epoch = -1;
    private long usedBytes;

    /** Of the write that was begun last: where its data go on, and how much of them is to come. */
    private long dataOffset;

    private long missingBytes;
    private long changes;

    /**
     * Makes an empty buffer.
     *
     * @param capacityBytes the most that an epoch may bring; only address space until it is used
     * @param diskBytes length of the disk
     */
    public EpochWriteBuffer(final long capacityBytes, final long diskBytes) {
        this.diskBytes = diskBytes;
        memory = AnonymousMemory.reserve("the disk writes of an epoch", capacityBytes);
    }

    /** Empties the buffer for another epoch. */
    public void begin(final long newEpoch) {
        drop();
        epoch = newEpoch;
    }

    /** Forgets everything: the epoch will not commit. */
    public void drop() {
        if (usedBytes > KEPT_BYTES) {
            memory.discard(KEPT_BYTES, memory.lengthBytes() - KEPT_BYTES);
        }
        epoch = -1;
        usedBytes = 0;
        missingBytes = 0;
        changes = 0;
    }

    /**
     * Begins a change; the data of a write follow by {@link #addData}, in as many pieces as the sender likes.
     *
     * @throws InvalidChangeException if it lies outside the disk, does not fit or comes before the last one is whole
     */
    public void addChange(final DiskChange change, final long diskOffset, final long lengthBytes) {
        if (epoch < 0) {
            throw new InvalidChangeException("a change of the disk outside an epoch");
        }
        if (missingBytes > 0) {
            throw new InvalidChangeException(
                    "a change of the disk while the last one lacks " + missingBytes + " bytes");
        }
        if (lengthBytes <= 0 || diskOffset < 0 || diskOffset > diskBytes - lengthBytes) {
            throw new InvalidChangeException("a change of " + lengthBytes + " bytes at " + diskOffset
                    + " does not lie in a disk of " + diskBytes + " bytes");
        }
        if (change == DiskChange.WRITE && lengthBytes > Integer.MAX_VALUE) {
            throw new InvalidChangeException("a write of " + lengthBytes + " bytes is too long");
        }
        final long recordBytes = WriteRecord.recordBytes(change, lengthBytes);
        if (recordBytes > memory.lengthBytes() - usedBytes) {
            throw new InvalidChangeException(
                    "more than " + memory.lengthBytes() + " bytes of disk writes in epoch " + epoch);
        }
        dataOffset = usedBytes + WriteRecord.HEADER_BYTES;
        WriteRecord.put(memory.segment(), usedBytes, epoch, change, diskOffset, lengthBytes);
        usedBytes += recordBytes;
        changes++;
        if (change == DiskChange.WRITE) {
            missingBytes = lengthBytes;
            // The last bytes of the record are padding, and part of the checksum.
            for (long at = dataOffset + lengthBytes; at < usedBytes; at++) {
                memory.segment().set(JAVA_BYTE, at, (byte) 0);
            }
        }
    }

    /**
     * Adds data of the write that was begun last.
     *
     * @throws InvalidChangeException if that is more than the write has
     */
    public void addData(final MemorySegment from, final long fromOffset, final long countBytes) {
        if (countBytes < 0 || countBytes > missingBytes) {
            throw new InvalidChangeException(
                    countBytes + " bytes of disk data where " + missingBytes + " were announced");
        }
        MemorySegment.copy(from, fromOffset, memory.segment(), dataOffset, countBytes);
        dataOffset += countBytes;
        missingBytes -= countBytes;
    }

    /** The epoch whose changes are here; -1 if none. */
    public long epoch() {
        return epoch;
    }

    /** How many changes are here. */
    public long changes() {
        return changes;
    }

    /** Whether all data of all changes have come. */
    public boolean isWhole() {
        return epoch >= 0 && missingBytes == 0;
    }

    /** Over everything here, to be compared with the sender's. */
    public long checksum() {
        return Checksum.hash(memory.segment(), 0, usedBytes);
    }

    MemorySegment records() {
        return memory.segment();
    }

    long recordsBytes() {
        return usedBytes;
    }

    @Override
    public void close() {
        memory.close();
    }
}
