package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Wakes a thread that sits in {@link Poller#poll} ({@code eventfd(2)}). Any thread may {@link #signal}; one thread drains.
 * Allocates nothing after construction.
 */
public final class EventFd implements AutoCloseable {
    private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

    private final MemorySegment count = Arena.ofAuto().allocate(JAVA_LONG);
    private final FileDescriptor descriptor;

    private EventFd(FileDescriptor descriptor) {
        this.descriptor = descriptor;
    }

    public static EventFd create() {
        int number = SysEventFd.eventfd(0, SysEventFd.EFD_NONBLOCK | SysEventFd.EFD_CLOEXEC);
        return new EventFd(FileDescriptor.adopt(number, "eventfd", "a wake-up event"));
    }

    /** Makes the descriptor readable until the next {@link #drain}. */
    public void signal() {
        long result = Unistd.write(number(), ONE.address(), Long.BYTES);
        // EAGAIN says that the counter is at its maximum: it is readable already.
        if (result < 0 && result != -Errno.EAGAIN.number()) {
            throw LinuxException.failure(result, "write", descriptor.object());
        }
    }

    /** Takes all signals so far. */
    public void drain() {
        long result = Unistd.read(number(), count.address(), Long.BYTES);
        if (result < 0 && result != -Errno.EAGAIN.number()) {
            throw LinuxException.failure(result, "read", descriptor.object());
        }
    }

    public int number() {
        return descriptor.number();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
