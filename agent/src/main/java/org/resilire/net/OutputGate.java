package org.resilire.net;

import java.lang.foreign.MemorySegment;

/**
 * Holds a guest's output until its epoch is acknowledged: law 1. Bounded; what does not fit is dropped and counted, as a NIC
 * would (the exception of law 5). Frames leave in the order in which they came, each once; a sink that would block stops
 * the release, which goes on with the same frame at the next call.
 *
 * <p>Labels must not fall from one frame to the next, see {@link OutputEpochs}. Not thread-safe: the network thread's.
 */
public final class OutputGate implements AutoCloseable {

    /** 10,900 frames of 1,500 bytes: some 100 ms at 1.3 Gbit/s. */
    public static final int DEFAULT_CAPACITY_BYTES = 16 << 20;

    private static final long NO_EPOCH = -1;

    private final FrameRing ring;
    private long newestHeldEpoch = NO_EPOCH;
    private long droppedFrames;
    private long discardedFrames;

    /** @param capacityBytes a power of two; each frame costs 16 to 31 bytes beside its own */
    public OutputGate(final int capacityBytes) {
        ring = new FrameRing(capacityBytes);
    }

    /**
     * Holds a copy of a frame.
     *
     * @param epoch the epoch that must be acknowledged before the frame may leave
     * @return false if there was no room: the frame is dropped, and counted
     */
    public boolean offer(final MemorySegment frames, final long offset, final int lengthBytes, final long epoch) {
        return offer(frames, offset, lengthBytes, epoch, 0);
    }

    /**
     * As {@link #offer(MemorySegment, long, int, long)}, for a frame that may also leave once the input log is acknowledged up to a
     * position.
     */
    boolean offer(
            final MemorySegment frames,
            final long offset,
            final int lengthBytes,
            final long epoch,
            final long inputPosition) {
        // Positions are compared within 2 GiB of each other.
        if (!ring.offer(frames, offset, lengthBytes, epoch, (int) inputPosition)) {
            droppedFrames++;
            return false;
        }
        newestHeldEpoch = epoch;
        return true;
    }

    /** Gives the sink all frames labelled up to {@code upToEpoch}, until it would block. Returns how many it took. */
    public int release(final long upToEpoch, final FrameSink sink) {
        return release(upToEpoch, sink, Integer.MAX_VALUE);
    }

    /** As {@link #release(long, FrameSink)}, but at most {@code limit} frames. */
    public int release(final long upToEpoch, final FrameSink sink, final int limit) {
        final FrameRing ring = this.ring;
        int released = 0;
        while (released < limit && hasReleasable(upToEpoch)) {
            if (!sink.write(ring.memory(), ring.headFrameOffset(), ring.headLengthBytes())) {
                break;
            }
            ring.removeHead();
            released++;
        }
        return released;
    }

    /** Gives the sink frames that wait for nothing but input up to this position, or whose epoch is acknowledged. */
    int releaseLogged(final long upToEpoch, final long inputPosition, final FrameSink sink, final int limit) {
        final FrameRing ring = this.ring;
        int released = 0;
        while (released < limit && hasReleasable(upToEpoch, inputPosition)) {
            if (!sink.write(ring.memory(), ring.headFrameOffset(), ring.headLengthBytes())) {
                break;
            }
            ring.removeHead();
            released++;
        }
        return released;
    }

    boolean hasReleasable(final long upToEpoch, final long inputPosition) {
        return !ring.isEmpty() && (ring.headLabel() <= upToEpoch || ring.headMark() - (int) inputPosition <= 0);
    }

    /** The epoch of the oldest frame; the gate must not be empty. */
    long headEpoch() {
        return ring.headLabel();
    }

    /** Gives the sink all frames, whatever their epoch, until it would block. Returns how many it took. */
    public int releaseAll(final FrameSink sink) {
        return release(Long.MAX_VALUE, sink);
    }

    /** Forgets all frames: they never leave. Returns how many there were. */
    public int discardAll() {
        final int count = Math.toIntExact(ring.frameCount());
        ring.clear();
        discardedFrames += count;
        return count;
    }

    /** Whether the oldest held frame may leave once {@code upToEpoch} is acknowledged. */
    public boolean hasReleasable(final long upToEpoch) {
        return !ring.isEmpty() && ring.headLabel() <= upToEpoch;
    }

    public boolean isEmpty() {
        return ring.isEmpty();
    }

    public long heldFrames() {
        return ring.frameCount();
    }

    /** Bytes of the held frames alone. */
    public long heldBytes() {
        return ring.frameBytes();
    }

    /** The epoch of the frame that was held last, even if it has left since; -1 before the first. */
    public long newestHeldEpoch() {
        return newestHeldEpoch;
    }

    /** Frames for which there was no room. */
    public long droppedFrames() {
        return droppedFrames;
    }

    /** Frames that {@link #discardAll()} forgot. */
    public long discardedFrames() {
        return discardedFrames;
    }

    @Override
    public void close() {
        ring.close();
    }
}
