package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** One {@code struct iovec} a thread, for the calls that take one only because they also take flags. Freed with its thread. */
final class IoVector {
    private static final long LENGTH = 8;
    private static final long BYTES = 16;

    private static final ThreadLocal<MemorySegment> SEGMENT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(BYTES, Long.BYTES));

    private IoVector() {}

    /** Its address, with these contents until this thread's next call. The thread keeps the memory alive. */
    static long address(long baseAddress, long lengthBytes) {
        MemorySegment vector = SEGMENT.get();
        vector.set(JAVA_LONG, 0, baseAddress);
        vector.set(JAVA_LONG, LENGTH, lengthBytes);
        return vector.address();
    }
}
