package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.concurrent.UnsafeBuffer;

/** Puts changes into a buffer as they come over the wire. */
final class TestChanges {

    private TestChanges() {}

    /** As a log hands it on: its data in two pieces, the second from the memory's beginning. */
    static void add(
            final EpochWriteBuffer buffer,
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment memory,
            final long dataOffset,
            final int firstBytes,
            final int secondBytes) {
        final byte[] data = new byte[firstBytes + secondBytes];
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, dataOffset, data, 0, firstBytes);
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, 0, data, firstBytes, secondBytes);
        add(buffer, change, diskOffset, lengthBytes, data);
    }

    static void add(
            final EpochWriteBuffer buffer,
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final byte[] data) {
        final int recordBytes = (int) WriteRecord.recordBytes(data.length);
        // Of longs, which are aligned as a record is.
        final MemorySegment record = MemorySegment.ofArray(new long[recordBytes / Long.BYTES]);
        WriteRecord.put(record, 0, buffer.epoch(), change, diskOffset, lengthBytes);
        MemorySegment.copy(data, 0, record, ValueLayout.JAVA_BYTE, WriteRecord.HEADER_BYTES, data.length);
        buffer.append(1, new UnsafeBuffer(record.toArray(ValueLayout.JAVA_BYTE)), 0, recordBytes);
    }
}
