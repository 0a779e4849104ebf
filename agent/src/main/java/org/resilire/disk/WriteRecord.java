package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.agrona.BitUtil;

/**
 * How a change stands in memory and on the wire: in the log of the primary, in messages, and in the buffer and journal of the backup,
 * little-endian as the hosts are. Records are aligned to their
 * header's length, so that a header never lies across the end of a ring whose size is a multiple of it.
 *
 * <pre>
 *   0        8             16             24        28           32
 *   ┌────────┬─────────────┬──────────────┬─────────┬────────────┬──────────┬─────────────┐
 *   │ epoch  │ disk offset │ disk length  │ change  │ data bytes │ data ... │ pad to 32   │
 *   └────────┴─────────────┴──────────────┴─────────┴────────────┴──────────┴─────────────┘
 * </pre>
 */
final class WriteRecord {

    static final int HEADER_BYTES = 32;

    /** Of a comparison's data. */
    static final int HASH_BYTES = Long.BYTES;

    private static final int DISK_OFFSET = 8;
    private static final int DISK_LENGTH = 16;
    private static final int CHANGE = 24;
    private static final int DATA_BYTES = 28;

    private WriteRecord() {}

    /** Of the whole record. */
    static long recordBytes(final DiskChange change, final long lengthBytes) {
        return recordBytes(dataBytes(change, lengthBytes));
    }

    /** A write carries what is written, a comparison a hash, anything else nothing. */
    static long dataBytes(final DiskChange change, final long lengthBytes) {
        return switch (change) {
            case WRITE -> lengthBytes;
            case COMPARE -> HASH_BYTES;
            case ZERO, DISCARD -> 0;
        };
    }

    static long recordBytes(final long dataBytes) {
        return BitUtil.align(HEADER_BYTES + dataBytes, HEADER_BYTES);
    }

    static void put(
            final MemorySegment memory,
            final long at,
            final long epoch,
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes) {
        memory.set(JAVA_LONG, at, epoch);
        memory.set(JAVA_LONG, at + DISK_OFFSET, diskOffset);
        memory.set(JAVA_LONG, at + DISK_LENGTH, lengthBytes);
        memory.set(JAVA_INT, at + CHANGE, change.code());
        memory.set(JAVA_INT, at + DATA_BYTES, (int) dataBytes(change, lengthBytes));
    }

    static long epoch(final MemorySegment memory, final long at) {
        return memory.get(JAVA_LONG, at);
    }

    static long diskOffset(final MemorySegment memory, final long at) {
        return memory.get(JAVA_LONG, at + DISK_OFFSET);
    }

    static long lengthBytes(final MemorySegment memory, final long at) {
        return memory.get(JAVA_LONG, at + DISK_LENGTH);
    }

    /** As it stands, whether or not there is such a change. */
    static int changeCode(final MemorySegment memory, final long at) {
        return memory.get(JAVA_INT, at + CHANGE);
    }

    static DiskChange change(final MemorySegment memory, final long at) {
        return DiskChange.of(memory.get(JAVA_INT, at + CHANGE));
    }

    static int dataBytes(final MemorySegment memory, final long at) {
        return memory.get(JAVA_INT, at + DATA_BYTES);
    }
}
