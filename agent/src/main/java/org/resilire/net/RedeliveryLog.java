package org.resilire.net;

import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;

/**
 * The backup's copy of the primary's {@link InboundLog}: what a guest that goes on from the last checkpoint may not have seen.
 * Bounded; frames that do not fit are left to their senders to repeat. Owned by one thread at a time.
 */
public final class RedeliveryLog implements AutoCloseable {

    /**
     * A frame is labelled when it arrives and may reach the guest an epoch later, if the guest was slow to take it. What the guest
     * has seen already it gets twice, as from any network.
     */
    private static final long MARGIN_EPOCHS = 1;

    private final OutputGate frames;
    private final int frameCapacityBytes;
    private final AnonymousMemory scratchMemory;
    private final UnsafeBuffer scratch;

    /**
     * Makes an empty log.
     *
     * @param capacityBytes a power of two
     */
    public RedeliveryLog(final int capacityBytes) {
        frames = new OutputGate(capacityBytes);
        frameCapacityBytes = GuestNetworkContext.DEFAULT_FRAME_CAPACITY_BYTES;
        scratchMemory = AnonymousMemory.reserve("a frame", frameCapacityBytes);
        // SAFETY: the memory lives until close(), after which no thread uses the log.
        scratch = new UnsafeBuffer(scratchMemory.segment().address(), frameCapacityBytes);
    }

    /** Adds a frame that arrived at the primary in this epoch; one that no NIC would take is ignored. */
    public void add(final long epoch, final DirectBuffer source, final int offset, final int lengthBytes) {
        if (lengthBytes > 0 && lengthBytes <= frameCapacityBytes) {
            source.getBytes(offset, scratch, 0, lengthBytes);
            frames.offer(scratchMemory.segment(), 0, lengthBytes, epoch);
        }
    }

    /** Drops what the guest has surely seen by this checkpoint. */
    public void committed(final long epoch) {
        frames.release(epoch - MARGIN_EPOCHS - 1, (memory, offset, lengthBytes) -> true);
    }

    public void clear() {
        frames.discardAll();
    }

    /** Hands everything over, oldest first; returns the number of frames. */
    public int deliver(final FrameSink sink) {
        return frames.releaseAll(sink);
    }

    @Override
    public void close() {
        frames.close();
        scratchMemory.close();
    }
}
