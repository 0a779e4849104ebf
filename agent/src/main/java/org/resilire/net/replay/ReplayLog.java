package org.resilire.net.replay;

import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;
import org.resilire.net.FrameRing;

/**
 * The backup's log: what arrived at the primary for the guest, and what the guest had let out by then, in that order. Every entry has a
 * position, the number of bytes logged up to its end, which the primary counts too; a gap is noticed. What a checkpoint has
 * seen is dropped when that is committed. Bounded; the primary knows the bound and keeps to it. Owned by one thread at a time.
 */
public final class ReplayLog implements AutoCloseable {

    /** Half a second at 1 Gbit/s. */
    public static final int DEFAULT_CAPACITY_BYTES = 64 << 20;

    /** Of a frame that arrived. */
    public static final int FRAME = 0;
    /** Of records of flows that were let out, see {@link EmittedFlows}. */
    public static final int EMITTED = 1;

    /** An entry's payload at most: a jumbo frame. */
    public static final int MAX_ENTRY_BYTES = 10_240;

    private final AnonymousMemory memory;
    private final FrameRing ring;
    private final UnsafeBuffer buffer;
    private final long windowBytes;
    private long position = -1;
    private long committedEpoch = -1;
    private long committedPosition = -1;
    private long frames;

    /** @param capacityBytes a power of two */
    public ReplayLog(final int capacityBytes) {
        memory = AnonymousMemory.reserve("the input log", capacityBytes);
        ring = new FrameRing(memory.segment());
        windowBytes = capacityBytes - FrameRing.recordBytes(MAX_ENTRY_BYTES);
        // SAFETY: the memory lives until close(), after which nobody uses this.
        buffer = new UnsafeBuffer(memory.segment().address(), capacityBytes);
    }

    /** How far the primary's position may be ahead of what was dropped. */
    public long windowBytes() {
        return windowBytes;
    }

    /** Empties it for a new session. */
    public void clear() {
        ring.clear();
        position = -1;
        committedEpoch = -1;
        committedPosition = -1;
        frames = 0;
    }

    /**
     * Appends an entry.
     *
     * @param kind {@link #FRAME} or {@link #EMITTED}, as on the wire
     * @param endPosition the primary's count
     * @param isFirst the first of the session, which may begin anywhere
     * @return null, or what is wrong with it: then nothing was appended
     */
    public String append(
            final int kind,
            final long endPosition,
            final boolean isFirst,
            final DirectBuffer source,
            final int offset,
            final int lengthBytes) {
        if (lengthBytes <= 0 || lengthBytes > MAX_ENTRY_BYTES) {
            return "an entry of " + lengthBytes + " bytes";
        }
        if (kind != FRAME && kind != EMITTED) {
            return "an entry of kind " + kind;
        }
        if (kind == EMITTED && lengthBytes % EmittedRecord.LENGTH_BYTES != 0) {
            return "records of flows that are cut off";
        }
        final long before = endPosition - FrameRing.recordBytes(lengthBytes);
        if (before < 0 || isFirst != (position < 0) || (!isFirst && before != position)) {
            return "position " + endPosition + " after " + position;
        }
        if (endPosition <= committedPosition) {
            // The checkpoint that has seen it was faster.
            position = endPosition;
            return null;
        }
        final long at = ring.append(lengthBytes, endPosition, kind);
        if (at < 0) {
            return "more than the " + windowBytes + " bytes that were agreed on";
        }
        source.getBytes(offset, buffer, (int) at, lengthBytes);
        position = endPosition;
        frames += kind == FRAME ? 1 : 0;
        return null;
    }

    /** The primary's count up to which everything is here; -1 before the first entry. */
    public long position() {
        return position;
    }

    /** Drops what a committed checkpoint has seen: all up to this position. */
    public void committed(final long epoch, final long upToPosition) {
        committedEpoch = epoch;
        committedPosition = upToPosition;
        while (!ring.isEmpty() && ring.headLabel() <= upToPosition) {
            frames -= ring.headMark() == FRAME ? 1 : 0;
            ring.removeHead();
        }
    }

    /** The checkpoint after which the log begins; -1 if there is none. */
    public long committedEpoch() {
        return committedEpoch;
    }

    /** Frames that arrived since, at most: the last checkpoint may have seen the first few. */
    public long frames() {
        return frames;
    }

    /** Bytes of all entries, without their headers. */
    public long lengthBytes() {
        return ring.frameBytes();
    }

    /** For the replay, which consumes it. */
    FrameRing ring() {
        return ring;
    }

    /** Where the ring's entries are read. */
    DirectBuffer buffer() {
        return buffer;
    }

    @Override
    public void close() {
        ring.close();
        memory.close();
    }
}
