package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.BitUtil;
import org.resilire.linux.FrameBatch;

/**
 * A bounded queue of frames outside the heap, first in, first out. Each frame lies in one piece, so that it can be handed
 * to a system call where it is.
 *
 * <pre>
 *    0        8         12        16              16 + length, rounded up to 16
 *   ┌────────┬─────────┬─────────┬───────────────┐
 *   │ label  │ length  │ mark    │ frame ...     │   length -1: nothing from here to the end of the memory
 *   └────────┴─────────┴─────────┴───────────────┘
 * </pre>
 *
 * <p>The memory is touched when it is made, so that no first use of a page delays a frame. When it runs empty it begins
 * again at offset 0: a short queue stays in the cache. Allocates nothing after construction. Not thread-safe.
 */
public final class FrameRing implements AutoCloseable {

    /** What a frame costs beside its own bytes; records are also aligned to this. */
    public static final int HEADER_BYTES = 16;

    private static final int LENGTH_OFFSET = 8;
    private static final int MARK_OFFSET = 12;
    private static final long NO_ROOM = -1;
    private static final int PADDING = -1;
    private static final int CACHE_LINE_BYTES = 64;

    private final Arena arena;
    private final MemorySegment memory;
    private final long capacityBytes;
    private final long mask;

    /** Positions only grow, until the ring runs empty; an offset is a position modulo the capacity. */
    private long head;

    private long tail;
    private long frameCount;
    private long frameBytes;

    /** @param capacityBytes a power of two, headers included */
    public FrameRing(final int capacityBytes) {
        if (capacityBytes < HEADER_BYTES || !BitUtil.isPowerOfTwo(capacityBytes)) {
            throw new IllegalArgumentException("a ring of frames must have a power of two of bytes, at least "
                    + HEADER_BYTES + ", not " + capacityBytes);
        }
        this.capacityBytes = capacityBytes;
        mask = capacityBytes - 1L;
        arena = Arena.ofShared();
        memory = arena.allocate(capacityBytes, CACHE_LINE_BYTES);
    }

    /** In memory of the caller's, a power of two of bytes, which is touched as the queue grows and stays the caller's. */
    public FrameRing(final MemorySegment memory) {
        this.capacityBytes = memory.byteSize();
        if (capacityBytes < HEADER_BYTES || Long.bitCount(capacityBytes) != 1) {
            throw new IllegalArgumentException("a ring of frames cannot have " + capacityBytes + " bytes");
        }
        this.memory = memory;
        mask = capacityBytes - 1L;
        arena = null;
    }

    /**
     * Appends a copy of a frame.
     *
     * @return false if there is no room, and then nothing has changed
     */
    boolean offer(final MemorySegment frames, final long offset, final int lengthBytes, final long label) {
        return offer(frames, offset, lengthBytes, label, 0);
    }

    /**
     * Appends a copy of a frame.
     *
     * @param label and {@code mark}: what the owner wants to know about it
     * @return false if there is no room, and then nothing has changed
     */
    public boolean offer(
            final MemorySegment frames, final long offset, final int lengthBytes, final long label, final int mark) {
        final long at = append(lengthBytes, label, mark);
        if (at == NO_ROOM) {
            return false;
        }
        MemorySegment.copy(frames, offset, memory, at, lengthBytes);
        return true;
    }

    /**
     * Appends room for a frame, which the caller fills before anything else is done with the ring.
     *
     * @return the frame's first byte in {@link #memory()}; negative if there is no room, and then nothing has changed
     */
    public long append(final int lengthBytes, final long label, final int mark) {
        final long recordBytes = recordBytes(lengthBytes);
        final long toEndBytes = capacityBytes - (tail & mask);
        final long paddingBytes = recordBytes > toEndBytes ? toEndBytes : 0;
        if (paddingBytes + recordBytes > capacityBytes - (tail - head)) {
            return NO_ROOM;
        }
        if (paddingBytes > 0) {
            memory.set(JAVA_INT, (tail & mask) + LENGTH_OFFSET, PADDING);
            tail += paddingBytes;
        }
        final long recordOffset = tail & mask;
        memory.set(JAVA_LONG, recordOffset, label);
        memory.set(JAVA_INT, recordOffset + LENGTH_OFFSET, lengthBytes);
        memory.set(JAVA_INT, recordOffset + MARK_OFFSET, mark);
        tail += recordBytes;
        frameCount++;
        frameBytes += lengthBytes;
        return recordOffset + HEADER_BYTES;
    }

    public boolean isEmpty() {
        return frameCount == 0;
    }

    public long frameCount() {
        return frameCount;
    }

    /** Bytes of the frames alone. */
    public long frameBytes() {
        return frameBytes;
    }

    /** Where {@link #headFrameOffset()} points into. */
    public MemorySegment memory() {
        return memory;
    }

    /** The label of the oldest frame; the ring must not be empty. */
    public long headLabel() {
        return memory.get(JAVA_LONG, head & mask);
    }

    /** The mark of the oldest frame; the ring must not be empty. */
    public int headMark() {
        return memory.get(JAVA_INT, (head & mask) + MARK_OFFSET);
    }

    /** The length of the oldest frame; the ring must not be empty. */
    public int headLengthBytes() {
        return memory.get(JAVA_INT, (head & mask) + LENGTH_OFFSET);
    }

    /** The oldest frame's first byte in {@link #memory()}; the ring must not be empty. */
    public long headFrameOffset() {
        return (head & mask) + HEADER_BYTES;
    }

    /** Removes the oldest frame; the ring must not be empty. */
    public void removeHead() {
        final int lengthBytes = headLengthBytes();
        frameCount--;
        frameBytes -= lengthBytes;
        if (frameCount == 0) {
            head = 0;
            tail = 0;
        } else {
            head = skipPadding(head + recordBytes(lengthBytes));
        }
    }

    /**
     * Copies the oldest frames, as many as fit, and removes none.
     *
     * @return how many
     */
    int peek(final FrameBatch into) {
        final int count = (int) Math.min(frameCount, into.capacity());
        final MemorySegment batchMemory = into.memory();
        long position = head;
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                position = skipPadding(position);
            }
            final long recordOffset = position & mask;
            final int lengthBytes = memory.get(JAVA_INT, recordOffset + LENGTH_OFFSET);
            MemorySegment.copy(memory, recordOffset + HEADER_BYTES, batchMemory, into.frameOffset(i), lengthBytes);
            into.frameLengthBytes(i, lengthBytes);
            position += recordBytes(lengthBytes);
        }
        return count;
    }

    public void clear() {
        head = 0;
        tail = 0;
        frameCount = 0;
        frameBytes = 0;
    }

    /** Only where another frame follows: past the last one there is nothing to read. */
    private long skipPadding(final long position) {
        final long offset = position & mask;
        return memory.get(JAVA_INT, offset + LENGTH_OFFSET) == PADDING ? position + capacityBytes - offset : position;
    }

    /** What a frame of this length takes of the ring. */
    public static long recordBytes(final int lengthBytes) {
        return BitUtil.align((long) lengthBytes + HEADER_BYTES, HEADER_BYTES);
    }

    /** For a walk from the oldest frame to the newest, during which the ring must not change: where the oldest stands. */
    public long first() {
        return head;
    }

    /** Whether a frame stands here. */
    public boolean isFrame(final long position) {
        return position != tail;
    }

    /** Where the next frame stands, or would. */
    public long next(final long position) {
        final long next = position + recordBytes(lengthBytes(position));
        return next == tail ? next : skipPadding(next);
    }

    /** First byte in {@link #memory()} of the frame at a position. */
    public long frameOffset(final long position) {
        return (position & mask) + HEADER_BYTES;
    }

    public int lengthBytes(final long position) {
        return memory.get(JAVA_INT, (position & mask) + LENGTH_OFFSET);
    }

    public int mark(final long position) {
        return memory.get(JAVA_INT, (position & mask) + MARK_OFFSET);
    }

    @Override
    public void close() {
        if (arena != null) {
            arena.close();
        }
    }
}
