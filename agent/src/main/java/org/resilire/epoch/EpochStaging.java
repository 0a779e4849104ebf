package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;

/** A bounded stretch of memory to which a peer's bytes are appended; pages of it that are not used cost nothing. Not thread-safe. */
final class EpochStaging implements AutoCloseable {

    /** What is kept mapped between epochs; a rare large epoch's memory goes back to the system. */
    private static final long KEPT_BYTES = 16 << 20;

    private final String content;
    private final AnonymousMemory memory;
    private final UnsafeBuffer window = new UnsafeBuffer(0, 0);
    private long lengthBytes;

    EpochStaging(final String content, final long capacityBytes) {
        this.content = content;
        this.memory = AnonymousMemory.reserve("staged " + content, capacityBytes);
    }

    /**
     * Appends.
     *
     * @return the offset at which the bytes now stand
     * @throws ProtocolViolationException if there is no room: the peer sends more than an epoch can hold
     */
    long append(final DirectBuffer source, final int offset, final int count) {
        final long at = reserve(count);
        if (count > 0) {
            // SAFETY: at + count is within the mapping, which lives until close().
            window.wrap(memory.segment().address() + at, count);
            source.getBytes(offset, window, 0, count);
        }
        return at;
    }

    /**
     * Makes room for bytes that the caller writes.
     *
     * @return the offset at which they are to stand
     * @throws ProtocolViolationException as for {@link #append}
     */
    long reserve(final int count) {
        final long at = lengthBytes;
        if (count > memory.lengthBytes() - at) {
            throw new ProtocolViolationException(
                    "more than " + memory.lengthBytes() + " bytes of " + content + " in an epoch");
        }
        lengthBytes = at + count;
        return at;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    MemorySegment segment() {
        return memory.segment();
    }

    void clear() {
        if (lengthBytes > KEPT_BYTES) {
            memory.discard(KEPT_BYTES, memory.lengthBytes() - KEPT_BYTES);
        }
        lengthBytes = 0;
    }

    @Override
    public void close() {
        memory.close();
    }
}
