package org.resilire.net;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.ControlledMessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.resilire.linux.AnonymousMemory;

/**
 * Frames that arrived for a protected guest, on their way from the network thread to the backup.
 *
 * <p>While output is held for its epoch ({@link GateMode#HOLD}), that is a courtesy: after a failover the standby gets those again that
 * its checkpoint may not have seen, instead of waiting for the clients to repeat them. That is safe because nothing that the
 * guest answered to them has left, and networks may duplicate. When the log is full, frames are left out and counted.
 *
 * <p>With input replay it is what a failover depends on. From {@link #begin} to {@link #endSession} every frame
 * is logged before the guest gets it, in order, with what the guest let out between them; each entry has a position, the number of
 * bytes logged up to its end, and none is left out: when there is no room, frames wait where they are ({@link #hasRoom}). How much
 * the log may be ahead of the last committed checkpoint the backup says.
 *
 * <p>Entries are added by the network thread and taken by the link thread; lock-free and without allocation.
 */
public final class InboundLog implements AutoCloseable {

    public static final int DEFAULT_CAPACITY_BYTES = 1 << 20;

    /** An entry of the log at most, with its header. */
    private static final long MAX_ENTRY_BYTES = FrameRing.recordBytes(GuestNetworkContext.DEFAULT_FRAME_CAPACITY_BYTES);

    /** Room for a few entries of any length: with less, nothing could ever be logged. */
    public static final long MIN_WINDOW_BYTES = 8 * MAX_ENTRY_BYTES;

    /** Of the window: three more epochs like it would fill that, and two may be on their way to be committed. */
    private static final int LARGE_EPOCHS = 4;

    /** More than can be unacknowledged at a time. */
    private static final int EPOCHS = 64;

    /** Takes entries from the log; the memory changes after the call. */
    public interface Reader {

        /** A frame that arrived in an epoch; nothing depends on it. */
        void onFrame(long epoch, MutableDirectBuffer frames, int offset, int lengthBytes);

        /**
         * An entry of the log of input replay.
         *
         * @param isEmitted records of what the guest let out, not a frame
         * @return false to have the same again later
         */
        boolean onEntry(boolean isEmitted, long position, MutableDirectBuffer entries, int offset, int lengthBytes);
    }

    /** Writes records of what the guest let out into the log. */
    public interface Emission {

        /** Returns the number of bytes written, at most {@code capacityBytes}. */
        int tell(MutableDirectBuffer into, int offset, int capacityBytes);
    }

    private static final int FRAME = 1;
    private static final int LOGGED_FRAME = 2;
    private static final int LOGGED_EMISSION = 3;

    private final OutputEpochs epochs;
    private final AnonymousMemory memory;
    private final OneToOneRingBuffer ring;

    /** Made once: the link thread looks here in each of its rounds. */
    private final ControlledMessageHandler onMessage = this::onMessage;

    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private final AtomicLong droppedFrames = new AtomicLong();
    private Reader currentReader;
    private volatile Runnable wakeReader = () -> {};

    private static final int OFF = 0;
    private static final int PERMITTED = 1;
    private static final int LOGGING = 2;
    private static final int SUSPENDED = 3;

    /** Of an epoch at whose end input was not logged. */
    private static final long NO_BOUNDARY = -1;

    private static final long NEVER = Long.MAX_VALUE;

    private final AtomicInteger phase = new AtomicInteger(OFF);
    private volatile long windowBytes;
    private final AtomicLong position = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong consumed = new AtomicLong();
    /** The first checkpoint that has a boundary since logging began; {@link #NEVER} before there is one. */
    private volatile long firstEpoch = NEVER;

    /** The last committed checkpoint that has one. */
    private volatile long committedEpoch = -1;

    /** By epoch: what the guest had surely taken when it ended. */
    private final AtomicLongArray boundaries = new AtomicLongArray(EPOCHS);

    /** The position when the current epoch began; checkpoint thread only. */
    private long epochPosition;

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

    /** What to call whenever there is an entry that something waits for. Any thread. */
    public void onEntryAdded(final Runnable wake) {
        wakeReader = wake;
    }

    /**
     * A session in which input is replayed is open: it may be logged once {@link #begin} says so. Link thread.
     *
     * @param window how far the position may be ahead of the last committed checkpoint's, in bytes
     */
    public void open(final long window) {
        final long begin = position.get();
        acknowledged.set(begin);
        committed.set(begin);
        windowBytes = window;
        phase.set(PERMITTED);
    }

    /**
     * Everything is logged from here on, if the session's input is to be: before the first checkpoint, and not sooner, since no
     * checkpoint frees what is logged during a synchronisation. Checkpoint thread.
     *
     * @return true if that is news
     */
    public boolean begin() {
        if (phase.get() != PERMITTED) {
            return false;
        }
        // First: a checkpoint from before now must not be taken for one of what is logged from now on.
        firstEpoch = NEVER;
        return phase.compareAndSet(PERMITTED, LOGGING);
    }

    /** Takes {@link #begin} back, before a boundary was marked: it may be tried again. Checkpoint thread. */
    void putOff() {
        phase.compareAndSet(LOGGING, PERMITTED);
    }

    /**
     * Nothing is logged any more in this session, until {@link #goOn}: the next checkpoint is to be started from without its input. What has
     * left by now must be told, and on the backup all that it depends on. Checkpoint thread.
     */
    public void suspend() {
        if (phase.compareAndSet(LOGGING, SUSPENDED) || phase.compareAndSet(PERMITTED, SUSPENDED)) {
            epochs.wakeup().signal();
        }
    }

    /** Lets {@link #begin} log again, if the session is still the one in which this was suspended. Checkpoint thread. */
    public void goOn() {
        phase.compareAndSet(SUSPENDED, PERMITTED);
    }

    /** The session is over: nothing is logged, and no output leaves because of this log. Link thread. */
    public void endSession() {
        phase.set(OFF);
        epochs.wakeup().signal();
    }

    /** Whether input is logged for replay. */
    public boolean isLogging() {
        return phase.get() == LOGGING;
    }

    /**
     * Whether the backup has a checkpoint after which it would replay what is logged. What leaves because its input is logged must not leave
     * sooner: after an older checkpoint, if there is one to start from, nothing would do it again.
     */
    boolean isReplayed() {
        return isLogging() && committedEpoch >= firstEpoch;
    }

    /** True if one frame more can be logged; if not, frames must wait. Network thread. */
    boolean hasRoom() {
        // One entry for the frame, one for what the guest lets out: a full log must not keep that from being told.
        return position.getPlain() + 2 * MAX_ENTRY_BYTES - committed.get() <= windowBytes && hasRingRoom();
    }

    private boolean hasRingRoom() {
        return ring.capacity() - ring.size() >= 4 * MAX_ENTRY_BYTES;
    }

    /**
     * Logs a frame, if frames are logged; before the guest gets it. Network thread.
     *
     * @return false if it should have been logged and could not: the guest must not get it
     */
    public boolean add(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (isLogging()) {
            return addEntry(frames, offset, lengthBytes);
        }
        if (epochs.mode().isProtecting()) {
            addCourtesy(frames, offset, lengthBytes);
        }
        return true;
    }

    private void addCourtesy(final MemorySegment frames, final long offset, final int lengthBytes) {
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

    private boolean addEntry(final MemorySegment frames, final long offset, final int lengthBytes) {
        final int index = ring.tryClaim(LOGGED_FRAME, Long.BYTES + lengthBytes);
        if (index < 0) {
            return false;
        }
        final long end = position.getPlain() + FrameRing.recordBytes(lengthBytes);
        // SAFETY: as above.
        frame.wrap(frames.address() + offset, lengthBytes);
        ring.buffer().putLong(index, end);
        ring.buffer().putBytes(index + Long.BYTES, frame, 0, lengthBytes);
        ring.commit(index);
        position.setRelease(end);
        wakeReader.run();
        return true;
    }

    /** Logs what the guest let out; does nothing if there is no room now. Network thread. */
    public void addEmission(final Emission emission, final int capacityBytes) {
        final boolean isTooFar =
                position.getPlain() + FrameRing.recordBytes(capacityBytes) - committed.get() > windowBytes;
        if (isTooFar || ring.capacity() - ring.size() < 2 * MAX_ENTRY_BYTES) {
            return;
        }
        final int index = ring.tryClaim(LOGGED_EMISSION, Long.BYTES + capacityBytes);
        if (index < 0) {
            return;
        }
        final int lengthBytes = emission.tell(ring.buffer(), index + Long.BYTES, capacityBytes);
        if (lengthBytes != capacityBytes) {
            ring.abort(index);
            return;
        }
        final long end = position.getPlain() + FrameRing.recordBytes(lengthBytes);
        ring.buffer().putLong(index, end);
        ring.commit(index);
        position.setRelease(end);
        wakeReader.run();
    }

    /** Bytes logged so far. */
    public long position() {
        return position.getAcquire();
    }

    /** The position up to which the backup has everything. */
    public long acknowledged() {
        return acknowledged.get();
    }

    /** The backup has everything up to here. Link thread. */
    public void acknowledged(final long upTo) {
        acknowledged.set(upTo);
        epochs.wakeup().signal();
    }

    /** Bytes logged since the last committed checkpoint, which a failover would replay. */
    public long replayBytes() {
        return isLogging() ? Math.max(0, position() - committed.get()) : 0;
    }

    /** Bytes logged that the backup does not have yet, or has not said so. */
    public long lagBytes() {
        return isLogging() ? Math.max(0, position() - acknowledged.get()) : 0;
    }

    /** The guest has taken everything up to this position. Any thread. */
    public void consumed(final long upTo) {
        long before = consumed.get();
        while (upTo > before && !consumed.compareAndSet(before, upTo)) {
            before = consumed.get();
        }
    }

    long consumed() {
        return consumed.get();
    }

    /** The guest is about to be paused at the end of an epoch: what it has taken by now, its checkpoint has seen. */
    public void markBoundary(final long epoch) {
        final boolean hasBoundary = isLogging();
        boundaries.setRelease((int) (epoch & (EPOCHS - 1)), hasBoundary ? consumed.get() : NO_BOUNDARY);
        if (hasBoundary && firstEpoch == NEVER) {
            firstEpoch = epoch;
        }
        epochPosition = position();
    }

    /**
     * True once the input of the current epoch has taken so much of the log that its checkpoint should not wait for its time: only
     * checkpoints make room, and without room frames wait. Checkpoint thread.
     */
    public boolean isEpochLarge() {
        return isLogging() && position() - epochPosition > windowBytes / LARGE_EPOCHS;
    }

    /** Up to where the checkpoint that ends this recent epoch has surely seen the log; negative if it needs none. Link thread. */
    public long boundary(final long epoch) {
        return boundaries.getAcquire((int) (epoch & (EPOCHS - 1)));
    }

    /** The backup has the checkpoint that ends this epoch, and has dropped what that has seen. Link thread. */
    public void committed(final long epoch) {
        final long boundary = boundary(epoch);
        if (boundary > committed.get()) {
            committed.set(boundary);
        }
        if (boundary != NO_BOUNDARY) {
            final boolean isNews = !isReplayed();
            committedEpoch = epoch;
            if (isNews) {
                epochs.wakeup().signal();
            }
        }
    }

    /** Hands over waiting entries, at most {@code limit}; returns how many. */
    public int drain(final Reader reader, final int limit) {
        currentReader = reader;
        return ring.controlledRead(onMessage, limit);
    }

    private ControlledMessageHandler.Action onMessage(
            final int type, final MutableDirectBuffer buffer, final int index, final int length) {
        final int at = index + Long.BYTES;
        final int lengthBytes = length - Long.BYTES;
        if (type == FRAME) {
            currentReader.onFrame(buffer.getLong(index), buffer, at, lengthBytes);
            return ControlledMessageHandler.Action.CONTINUE;
        }
        return currentReader.onEntry(type == LOGGED_EMISSION, buffer.getLong(index), buffer, at, lengthBytes)
                ? ControlledMessageHandler.Action.CONTINUE
                : ControlledMessageHandler.Action.ABORT;
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
