package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/** {@code poll.h}, with {@code struct timespec} of {@code time.h}. */
final class SysPoll {
    static final short POLLIN = 1;
    static final short POLLOUT = 4;

    static final StructLayout POLLFD = MemoryLayout.structLayout(
                    JAVA_INT.withName("fd"), JAVA_SHORT.withName("events"), JAVA_SHORT.withName("revents"))
            .withName("pollfd");
    static final long EVENTS = POLLFD.byteOffset(PathElement.groupElement("events"));
    static final long REVENTS = POLLFD.byteOffset(PathElement.groupElement("revents"));

    static final StructLayout TIMESPEC = MemoryLayout.structLayout(
                    JAVA_LONG.withName("tv_sec"), JAVA_LONG.withName("tv_nsec"))
            .withName("timespec");
    static final long TV_NSEC = TIMESPEC.byteOffset(PathElement.groupElement("tv_nsec"));

    private static final MethodHandle PPOLL =
            CLibrary.frequent("ppoll", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private SysPoll() {}

    // SAFETY: both addresses are the caller's (Poller), which owns as many pollfds as it says; a zero timespec waits
    // forever.
    static int ppoll(long pollFdsAddress, long count, long timespecAddress) {
        try {
            return (int) PPOLL.invokeExact(pollFdsAddress, count, timespecAddress, 0L);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
