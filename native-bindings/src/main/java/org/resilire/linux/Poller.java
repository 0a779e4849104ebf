package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Waits until one of a fixed set of descriptors can be read, or its other end is gone ({@code ppoll(2)}). One thread at a
 * time; allocates nothing after construction. Does not own the descriptors, which must stay open.
 */
public final class Poller implements AutoCloseable {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment pollFds;
    private final MemorySegment timeout = arena.allocate(SysPoll.TIMESPEC);
    private final int count;

    public Poller(int... descriptors) {
        this(SysPoll.POLLIN, descriptors);
    }

    private Poller(short events, int... descriptors) {
        count = descriptors.length;
        pollFds = arena.allocate(SysPoll.POLLFD, count);
        for (int i = 0; i < count; i++) {
            long offset = i * SysPoll.POLLFD.byteSize();
            pollFds.set(JAVA_INT, offset, descriptors[i]);
            pollFds.set(JAVA_SHORT, offset + SysPoll.EVENTS, events);
        }
    }

    /** Waits for room to write instead. */
    static Poller forWriting(int descriptor) {
        return new Poller(SysPoll.POLLOUT, descriptor);
    }

    /**
     * Returns how many descriptors are ready, 0 after the timeout.
     *
     * @param timeoutNanos 0 to look without waiting, negative to wait without limit
     */
    public int poll(long timeoutNanos) {
        NativeMemory.requireAlive(pollFds);
        long deadline = timeoutNanos > 0 ? System.nanoTime() + timeoutNanos : 0;
        long remainingNanos = timeoutNanos;
        while (true) {
            int ready = SysPoll.ppoll(pollFds.address(), count, timespec(remainingNanos));
            if (ready != -Errno.EINTR.number()) {
                return LinuxException.check(ready, "ppoll", "a set of descriptors");
            }
            if (timeoutNanos > 0) {
                remainingNanos = Math.max(0, deadline - System.nanoTime());
            }
        }
    }

    /** Whether the last {@link #poll} found this one readable, hung up or in error: a read will not block. */
    public boolean isReady(int index) {
        return pollFds.get(JAVA_SHORT, index * SysPoll.POLLFD.byteSize() + SysPoll.REVENTS) != 0;
    }

    private long timespec(long nanos) {
        if (nanos < 0) {
            return 0;
        }
        timeout.set(JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
        timeout.set(JAVA_LONG, SysPoll.TV_NSEC, nanos % NANOS_PER_SECOND);
        return timeout.address();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
