package org.resilire.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;

/** The client's end of a Unix stream, non-blocking: QMP, {@code -netdev stream}. One thread at a time; allocates nothing. */
public final class UnixStreamSocket implements AutoCloseable {
    private static final String CLOSED_BY_PEER = "the other end has closed the connection";

    private final FileDescriptor descriptor;
    private final Poller readable;
    private final Poller writable;

    private UnixStreamSocket(FileDescriptor descriptor) {
        this.descriptor = descriptor;
        readable = new Poller(descriptor.number());
        writable = Poller.forWriting(descriptor.number());
    }

    /** {@code ENOENT} or {@code ECONNREFUSED} if nobody listens there, {@code EAGAIN} if its backlog is full. */
    public static UnixStreamSocket connect(Path path) {
        int type = SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK | SysSocket.SOCK_CLOEXEC;
        FileDescriptor descriptor =
                FileDescriptor.adopt(SysSocket.socket(SysSocket.AF_UNIX, type), "socket", path.toString());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = SysSocket.unixAddress(path, arena);
            LinuxException.check(SysSocket.connect(descriptor.number(), address), "connect", path.toString());
            return new UnixStreamSocket(descriptor);
        } catch (RuntimeException failure) {
            descriptor.close();
            throw failure;
        }
    }

    /** Reads what is there, at most {@code capacityBytes}: 0 if nothing is, -1 at the end of the stream. */
    public int read(MemorySegment into, long offset, int capacityBytes) {
        long result;
        try {
            result = Unistd.read(descriptor.number(), NativeMemory.address(into, offset, capacityBytes), capacityBytes);
        } finally {
            Reference.reachabilityFence(into);
        }
        if (result > 0) {
            return (int) result;
        }
        if (result == 0 || result == -Errno.ECONNRESET.number()) {
            return capacityBytes == 0 ? 0 : -1;
        }
        if (result == -Errno.EAGAIN.number() || result == -Errno.EINTR.number()) {
            return 0;
        }
        throw LinuxException.failure(result, "read", descriptor.object());
    }

    /**
     * Writes everything, waiting for room.
     *
     * @throws LinuxException {@code ETIMEDOUT} after the timeout, with part of it written; {@code EPIPE} if the peer is gone
     */
    public void writeFully(MemorySegment from, long offset, long lengthBytes, long timeoutNanos) {
        long address = NativeMemory.address(from, offset, lengthBytes);
        long deadline = System.nanoTime() + timeoutNanos;
        try {
            for (long written = 0; written < lengthBytes; ) {
                written += writeSome(address + written, lengthBytes - written, deadline);
            }
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    private long writeSome(long address, long lengthBytes, long deadline) {
        long result = SysSocket.send(descriptor.number(), address, lengthBytes, SysSocket.MSG_NOSIGNAL);
        if (result >= 0) {
            return result;
        }
        switch (Errno.of((int) -result)) {
            case EINTR -> {}
            case EAGAIN -> awaitWritable(deadline - System.nanoTime());
            case EPIPE -> throw LinuxException.failure(result, "write", descriptor.object(), CLOSED_BY_PEER);
            default -> throw LinuxException.failure(result, "write", descriptor.object());
        }
        return 0;
    }

    private void awaitWritable(long remainingNanos) {
        if (remainingNanos <= 0 || writable.poll(remainingNanos) == 0) {
            throw new LinuxException("write", descriptor.object(), Errno.ETIMEDOUT, "the other end does not read");
        }
    }

    /** Waits until there is something to read, or the end of the stream; false after the timeout (negative: no limit). */
    public boolean awaitReadable(long timeoutNanos) {
        return readable.poll(timeoutNanos) > 0;
    }

    public int number() {
        return descriptor.number();
    }

    @Override
    public void close() {
        descriptor.close();
        readable.close();
        writable.close();
    }
}
