package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.AnonymousMemory;

/**
 * A message in the making: takes changes out of an {@link EpochWriteLog}, as many as there is room for, one {@link WriteRecord} after the
 * other. A write that is longer than the room becomes several. One thread; allocates nothing.
 */
public final class ChangeMessage implements LoggedChangeHandler, AutoCloseable {

    private final AnonymousMemory memory;
    private final int start;
    private final int capacityBytes;
    private long epoch;
    private int usedBytes;
    private int changes;

    /** Of the change that is offered: what earlier messages have of its data. */
    private int doneBytes;

    /**
     * Makes room.
     *
     * @param headerBytes in front, for the caller
     * @param payloadBytes for changes
     */
    public ChangeMessage(final int headerBytes, final int payloadBytes) {
        start = headerBytes;
        capacityBytes = payloadBytes & -WriteRecord.HEADER_BYTES;
        memory = AnonymousMemory.reserve("a message of disk changes", (long) headerBytes + payloadBytes);
    }

    /** Begins a message of this epoch, which takes no change of a later one. */
    public void begin(final long newEpoch) {
        epoch = newEpoch;
        usedBytes = 0;
        changes = 0;
    }

    /** Forgets a change of which only a part was taken; the session is over. */
    public void forgetPart() {
        doneBytes = 0;
    }

    /** All of it; changes stand behind the room for the header. */
    public MemorySegment memory() {
        return memory.segment();
    }

    public int payloadBytes() {
        return usedBytes;
    }

    /** How many changes it holds. */
    public int changes() {
        return changes;
    }

    @Override
    public boolean onChange(
            final long changeEpoch,
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment from,
            final long dataOffset,
            final int firstBytes,
            final int secondBytes) {
        if (changeEpoch > epoch) {
            return false;
        }
        final int roomBytes = capacityBytes - usedBytes - WriteRecord.HEADER_BYTES;
        final int dataBytes = firstBytes + secondBytes;
        final int pieceBytes = Math.min(dataBytes - doneBytes, roomBytes);
        final boolean isWhole = pieceBytes == dataBytes - doneBytes;
        if (roomBytes < 0 || (!isWhole && (change != DiskChange.WRITE || pieceBytes <= 0))) {
            return false;
        }
        final boolean isWrite = change == DiskChange.WRITE;
        final long at = (long) start + usedBytes;
        WriteRecord.put(
                memory.segment(),
                at,
                epoch,
                change,
                isWrite ? diskOffset + doneBytes : diskOffset,
                isWrite ? pieceBytes : lengthBytes);
        copy(from, dataOffset, firstBytes, pieceBytes, at + WriteRecord.HEADER_BYTES);
        final long recordBytes = WriteRecord.recordBytes(pieceBytes);
        for (long pad = at + WriteRecord.HEADER_BYTES + pieceBytes; pad < at + recordBytes; pad++) {
            memory.segment().set(JAVA_BYTE, pad, (byte) 0);
        }
        usedBytes += (int) recordBytes;
        changes++;
        doneBytes = isWhole ? 0 : doneBytes + pieceBytes;
        return isWhole;
    }

    /** Of the change's data, which stand in two pieces, the next ones. */
    private void copy(
            final MemorySegment from,
            final long dataOffset,
            final int firstBytes,
            final int pieceBytes,
            final long to) {
        final int ofFirst = Math.clamp((long) firstBytes - doneBytes, 0, pieceBytes);
        if (ofFirst > 0) {
            MemorySegment.copy(from, dataOffset + doneBytes, memory.segment(), to, ofFirst);
        }
        if (pieceBytes > ofFirst) {
            final long ofSecond = Math.max(0, doneBytes - firstBytes);
            MemorySegment.copy(from, ofSecond, memory.segment(), to + ofFirst, pieceBytes - ofFirst);
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
