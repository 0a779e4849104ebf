package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Room for a number of frames and the headers with which one system call moves them. Laid out once, off-heap:
 *
 * <pre>
 *   memory   | frame 0 | frame 1 | …            frameCapacityBytes each
 *   vectors  | base, length | base, length | …  struct iovec; the length is the frame's
 *   headers  | name, iovec, … received | …      struct mmsghdr
 * </pre>
 *
 * One thread at a time.
 */
public final class FrameBatch implements AutoCloseable {
    private static final long CACHE_LINE_BYTES = 64;
    private static final long VECTOR = SysSocket.IOVEC.byteSize();
    private static final long HEADER = SysSocket.MMSGHDR.byteSize();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final MemorySegment vectors;
    private final MemorySegment headers;
    private final int capacity;
    private final int frameCapacityBytes;

    public FrameBatch(int capacity, int frameCapacityBytes) {
        if (capacity <= 0 || frameCapacityBytes <= 0) {
            throw new IllegalArgumentException(
                    "a batch of " + capacity + " frames of " + frameCapacityBytes + " bytes has no room");
        }
        this.capacity = capacity;
        this.frameCapacityBytes = frameCapacityBytes;
        memory = arena.allocate((long) capacity * frameCapacityBytes, CACHE_LINE_BYTES);
        vectors = arena.allocate(SysSocket.IOVEC, capacity);
        headers = arena.allocate(SysSocket.MMSGHDR, capacity);
        // SAFETY: the addresses written here point into this arena, which lives and dies as a whole.
        for (int i = 0; i < capacity; i++) {
            vectors.set(JAVA_LONG, i * VECTOR + SysSocket.IOV_BASE, memory.address() + frameOffset(i));
            headers.set(JAVA_LONG, i * HEADER + SysSocket.MSG_IOV, vectors.address() + i * VECTOR);
            headers.set(JAVA_LONG, i * HEADER + SysSocket.MSG_IOVLEN, 1);
        }
    }

    /** All frames; frame {@code i} starts at {@link #frameOffset}. */
    public MemorySegment memory() {
        return memory;
    }

    public long frameOffset(int i) {
        return (long) i * frameCapacityBytes;
    }

    public int frameLengthBytes(int i) {
        return (int) vectors.get(JAVA_LONG, i * VECTOR + SysSocket.IOV_LEN);
    }

    public void frameLengthBytes(int i, int lengthBytes) {
        if (lengthBytes < 0 || lengthBytes > frameCapacityBytes) {
            throw new IllegalArgumentException(
                    "a frame of " + lengthBytes + " bytes does not fit into " + frameCapacityBytes);
        }
        vectors.set(JAVA_LONG, i * VECTOR + SysSocket.IOV_LEN, lengthBytes);
    }

    public int capacity() {
        return capacity;
    }

    public int frameCapacityBytes() {
        return frameCapacityBytes;
    }

    /** Address of header {@code from}, for a call that uses {@code count} of them. */
    long headerAddress(int from, int count) {
        Objects.checkFromIndexSize(from, count, capacity);
        NativeMemory.requireAlive(headers);
        return headers.address() + from * HEADER;
    }

    void prepareToReceive() {
        for (int i = 0; i < capacity; i++) {
            vectors.set(JAVA_LONG, i * VECTOR + SysSocket.IOV_LEN, frameCapacityBytes);
            headers.set(JAVA_LONG, i * HEADER + SysSocket.MSG_NAME, 0);
            headers.set(JAVA_INT, i * HEADER + SysSocket.MSG_NAMELEN, 0);
        }
    }

    /** Turns the kernel's lengths into the frames'; a frame that was cut off gets length 0. Returns how many were. */
    int finishReceive(int count) {
        int truncated = 0;
        for (int i = 0; i < count; i++) {
            boolean cut = (headers.get(JAVA_INT, i * HEADER + SysSocket.MSG_FLAGS) & SysSocket.MSG_TRUNC) != 0;
            truncated += cut ? 1 : 0;
            frameLengthBytes(i, cut ? 0 : headers.get(JAVA_INT, i * HEADER + SysSocket.MSG_LEN));
        }
        return truncated;
    }

    void prepareToSend(int from, int count, long addressOfPeer, int addressLengthBytes) {
        for (int i = from; i < from + count; i++) {
            headers.set(JAVA_LONG, i * HEADER + SysSocket.MSG_NAME, addressOfPeer);
            headers.set(JAVA_INT, i * HEADER + SysSocket.MSG_NAMELEN, addressLengthBytes);
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
