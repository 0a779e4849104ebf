package org.resilire.net;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.resilire.linux.AnonymousMemory;

/**
 * Frames that arrived for a protected guest, on their way from the network thread to the backup. After a failover the standby gets
 * those again that its checkpoint may not have seen, instead of waiting for the clients to repeat them. That is safe because
 * nothing that the guest answered to them has left, and networks may duplicate; and it is only a courtesy: when the log is full, frames
 * are left out and counted.
 *
 * <p>Frames are added by the network thread and taken by the link thread; lock-free and without allocation.
 */
public final class InboundLog implements InboundFrameListener, AutoCloseable {

    public static final int DEFAULT_CAPACITY_BYTES = 1 << 20;

    /** Takes a frame from the log; the memory changes after the call. */
    @FunctionalInterface
    public interface Reader {
        void onFrame(long epoch, DirectBuffer frames, int offset, int lengthBytes);
    }

    private static final int FRAME = 1;

    private final OutputEpochs epochs;
    private final AnonymousMemory memory;
    private final OneToOneRingBuffer ring;

    /** Made once: the link thread looks here in each of its rounds. */
    private final MessageHandler onMessage = this::onMessage;

    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private final AtomicLong droppedFrames = new AtomicLong();
    private Reader currentReader;

    /**
     * Makes an empty log.
     *
     * @param capacityBytes a power of two
     */
    public InboundLog(final OutputEpochs epochs, final int capacityBytes) {
        this.epochs = epochs;
        this.memory = AnonymousMemory.reserve("the inbound log", capacityBytes + RingBufferDescriptor.TRAILER_LENGTH);
        // SAFETY: the memory lives until close(), after which no thread uses the log.
        this.ring = new OneToOneRingBuffer(new UnsafeBuffer(memory.segment().address(), (int) memory.lengthBytes()));
    }

    @Override
    public void onInboundFrame(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (epochs.mode() != GateMode.HOLD) {
            return;
        }
        final int index = ring.tryClaim(FRAME, Long.BYTES + lengthBytes);
        if (index < 0) {
            droppedFrames.incrementAndGet();
            return;
        }
        // SAFETY: the caller's frame is within its memory, which it keeps during the call.
        frame.wrap(frames.address() + offset, lengthBytes);
        ring.buffer().putLong(index, epochs.currentEpoch());
        ring.buffer().putBytes(index + Long.BYTES, frame, 0, lengthBytes);
        ring.commit(index);
    }

    /** Hands over waiting frames, at most {@code limit}; returns how many. */
    public int drain(final Reader reader, final int limit) {
        currentReader = reader;
        return ring.read(onMessage, limit);
    }

    private void onMessage(final int type, final DirectBuffer buffer, final int index, final int length) {
        currentReader.onFrame(buffer.getLong(index), buffer, index + Long.BYTES, length - Long.BYTES);
    }

    /** Frames left out because the log was full. Any thread. */
    public long droppedFrames() {
        return droppedFrames.get();
    }

    @Override
    public void close() {
        memory.close();
    }
}
