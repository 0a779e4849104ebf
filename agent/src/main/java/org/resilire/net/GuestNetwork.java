package org.resilire.net;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.concurrent.Agent;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/**
 * Carries frames between a guest's NIC and the host's network, and holds what the guest sends as {@link OutputEpochs} says.
 * Work in a duty cycle is bounded in every direction, so that no direction starves another. What arrives for the guest is
 * given to it at once; while it takes none, as during a checkpoint's pause, it waits in a small queue.
 *
 * <p>Runs on one thread, the network thread. In steady state it allocates nothing and takes no lock. Wait between duty
 * cycles with {@link PollingIdleStrategy}.
 */
public final class GuestNetwork implements Agent {

    private static final int RETRY_FRAMES = 16;

    private final UnixDatagramSocket guest;
    private final Uplink uplink;
    private final OutputEpochs epochs;
    private final OutputGate gate;
    private final FrameRing inboundQueue;
    private final FrameBatch outbound;
    private final FrameBatch inbound;
    private final FrameBatch retry;
    private final InboundLog inputLog;
    private final EmissionListener emissionListener;
    private final long[] inboundPositions;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(ValueLayout.JAVA_INT);
    private final MemorySegment scratchOfOthers = arena.allocate(ValueLayout.JAVA_INT);
    private final FrameSink releaseSink = this::emitReleased;
    private final FrameSink replaySink = this::deliverReplayed;
    private final HeldOutputListener heldOutputListener;
    private final int releaseLimit;
    private final NetworkCounters counters = new NetworkCounters();

    private boolean isOutputBlocked;
    private long announcedEpoch = -1;
    private long releasedFrames;
    private long passedFrames;
    private long malformedFramesOut;
    private long discardedFrames;
    private long deliveredFrames;
    private long droppedFramesIn;
    private long inputStalls;
    private boolean isInputStalled;
    /** Up to where the guest's socket was given the frames of the input log. */
    private long givenPosition;

    /** The same, and what the guest let out since, which is for nobody to take; read by the checkpoint thread. */
    private volatile long deliveredPosition;
    /** After a takeover, for as long as its connections live; null otherwise. Set before the network runs. */
    private FrameReplay replay;

    private volatile long newestHeldEpoch = -1;

    /** What had arrived when this was set is asked for; by the thread that asks. */
    private volatile long arrivedMark;

    /** All that had arrived by that mark was given to the guest's socket. */
    private volatile long givenMark;

    /** The mark as this thread has seen it, and what was logged by then. */
    private long followedMark;

    private long followedPosition;

    /** Concludes the context, and owns its socket and uplink from here on. */
    public GuestNetwork(final GuestNetworkContext context) {
        context.conclude();
        guest = context.guestSocket();
        uplink = context.uplink();
        epochs = context.epochs();
        gate = new OutputGate(context.gateCapacityBytes());
        inboundQueue = new FrameRing(context.inboundQueueBytes());
        outbound = new FrameBatch(context.batchFrames(), context.frameCapacityBytes());
        inbound = new FrameBatch(context.batchFrames(), context.frameCapacityBytes());
        retry = new FrameBatch(RETRY_FRAMES, context.frameCapacityBytes());
        inputLog = context.inputLog();
        emissionListener = context.emissionListener();
        inboundPositions = new long[context.batchFrames()];
        heldOutputListener = context.heldOutputListener();
        releaseLimit = context.releaseLimitFrames();
    }

    @Override
    public int doWork() {
        int workCount = 0;
        followMark();
        if (inputLog != null && inputLog.isLogging() && givenPosition > inputLog.consumed()) {
            noteConsumedInput(scratch);
        }
        workCount += releaseOutput();
        workCount += receiveFromGuest();
        workCount += replay();
        workCount += retryTowardsGuest();
        workCount += receiveFromUplink();
        tellEmitted();
        tellGiven();
        if (workCount > 0) {
            publishCounters();
        }
        return workCount;
    }

    /** Drops what waits at the uplink; only before the network runs. */
    void discardInbound() {
        int lengthBytes;
        do {
            lengthBytes = uplink.read(inbound.memory(), inbound.frameOffset(0), inbound.frameCapacityBytes());
        } while (lengthBytes != 0);
    }

    /** Has this stand between the guest and the world from now on; only before the network runs. */
    void replay(final FrameReplay after) {
        replay = after;
    }

    /** Marks what has arrived by now, for {@link #hasGuestTaken}. One thread beside the network's own. */
    long markArrived() {
        final long mark = arrivedMark + 1;
        arrivedMark = mark;
        epochs.wakeup().signal();
        return mark;
    }

    /** Whether the guest has taken all that had arrived by a mark, the last one, wherever it waited. The thread that marks. */
    boolean hasGuestTaken(final long mark) {
        // In this order: what has not been given to the socket yet cannot be found in it.
        return givenMark == mark && guest.untakenBytes(scratchOfOthers) == 0;
    }

    private void followMark() {
        final long mark = arrivedMark;
        if (mark != followedMark) {
            followedMark = mark;
            // Every frame that is logged from here on has a later one, and what was not logged has this one or an
            // earlier.
            followedPosition = inputLog == null ? Long.MAX_VALUE : inputLog.position();
        }
    }

    /** At the end of a round, when no frame is on its way from the uplink to the queue. */
    private void tellGiven() {
        if (givenMark != followedMark
                && (inboundQueue.isEmpty() || inboundQueue.headLabel() > followedPosition)
                && (replay == null || !replay.isWaiting())) {
            givenMark = followedMark;
        }
    }

    /** Learns how much of the input log the guest has taken by now. One thread beside the network's own. */
    void noteConsumedInput() {
        noteConsumedInput(scratchOfOthers);
    }

    private void noteConsumedInput(final MemorySegment answer) {
        final long delivered = deliveredPosition;
        if (delivered > inputLog.consumed() && guest.untakenBytes(answer) == 0) {
            inputLog.consumed(delivered);
        }
    }

    /** Puts a frame before all that will arrive; only before the network runs. Returns false if there is no room. */
    boolean deliverFirst(final MemorySegment frames, final long offset, final int lengthBytes) {
        return inboundQueue.offer(frames, offset, lengthBytes, 0);
    }

    @Override
    public String roleName() {
        return "guest-network";
    }

    /** Any thread. */
    public NetworkCounters counters() {
        return counters;
    }

    /** The latest epoch that had output to hold; -1 before the first. Any thread. */
    public long newestHeldEpoch() {
        return newestHeldEpoch;
    }

    /** True while frames wait for a sink that would block: then look again soon, for nothing wakes the network thread. */
    boolean isBlocked() {
        return isOutputBlocked || !inboundQueue.isEmpty() || (replay != null && replay.isWaiting());
    }

    /** True while frames wait at the uplink although they could be read, because they cannot be logged. */
    boolean isInputStalled() {
        return isInputStalled;
    }

    int guestDescriptor() {
        return guest.number();
    }

    int uplinkDescriptor() {
        return uplink.descriptor();
    }

    private int releaseOutput() {
        if (gate.isEmpty()) {
            isOutputBlocked = false;
            return 0;
        }
        return switch (epochs.mode()) {
            case HOLD -> release(epochs.acknowledgedEpoch());
            case LOGGED, AT_ONCE -> releaseLogged(epochs.mode());
            case PASS -> release(Long.MAX_VALUE);
            case DISCARD -> gate.discardAll();
        };
    }

    private int release(final long upToEpoch) {
        final int released = gate.release(upToEpoch, uplink, releaseLimit);
        releasedFrames += released;
        isOutputBlocked = released < releaseLimit && gate.hasReleasable(upToEpoch);
        return released;
    }

    private int releaseLogged(final GateMode mode) {
        if (inputLog == null || !inputLog.isReplayed()) {
            return release(epochs.acknowledgedEpoch());
        }
        final long upToEpoch = mode == GateMode.AT_ONCE ? Long.MAX_VALUE : epochs.acknowledgedEpoch();
        final long upToInput = inputLog.acknowledged();
        final int released = gate.releaseLogged(upToEpoch, upToInput, releaseSink, releaseLimit);
        releasedFrames += released;
        isOutputBlocked = released < releaseLimit && gate.hasReleasable(upToEpoch, upToInput);
        return released;
    }

    private boolean emitReleased(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (!uplink.write(frames, offset, lengthBytes)) {
            return false;
        }
        emissionListener.onEmitted(frames, offset, lengthBytes, gate.headEpoch());
        return true;
    }

    private int receiveFromGuest() {
        final int received = guest.receive(outbound);
        if (received == 0) {
            return 0;
        }
        // Law 1: only now, after the frames, may mode and epoch be read; see the labelling rule of OutputEpochs.
        final long epoch = epochs.currentEpoch();
        final GateMode mode = epochs.mode();
        final boolean isLogging = inputLog != null && inputLog.isLogging();
        final boolean isReplayed = isLogging && inputLog.isReplayed();
        // All that the guest had got when it sent these, and perhaps more.
        final long inputPosition = isLogging ? inputLog.position() : 0;
        for (int i = 0; i < received; i++) {
            final int lengthBytes = outbound.frameLengthBytes(i);
            if (lengthBytes == 0) {
                malformedFramesOut++;
            } else if (mode == GateMode.DISCARD) {
                discardedFrames++;
            } else if (replay == null || replay.onOutbound(outbound.memory(), outbound.frameOffset(i), lengthBytes)) {
                if (mode == GateMode.PASS) {
                    pass(i, lengthBytes, epoch);
                } else if (mode == GateMode.HOLD || !isReplayed || !emit(i, lengthBytes, epoch, mode, inputPosition)) {
                    hold(i, lengthBytes, epoch, isLogging ? inputPosition : neverLogged());
                }
            }
        }
        return received;
    }

    /** Lets a frame out at once if it may leave and nothing before it waits. */
    private boolean emit(
            final int index, final int lengthBytes, final long epoch, final GateMode mode, final long inputPosition) {
        final boolean mayLeave = mode == GateMode.AT_ONCE || inputLog.acknowledged() >= inputPosition;
        final long offset = outbound.frameOffset(index);
        if (!mayLeave || !gate.isEmpty() || !uplink.write(outbound.memory(), offset, lengthBytes)) {
            return false;
        }
        emissionListener.onEmitted(outbound.memory(), offset, lengthBytes, epoch);
        releasedFrames++;
        return true;
    }

    /** A position that is not acknowledged for as long as a frame can be held. */
    private long neverLogged() {
        return inputLog == null ? 0 : inputLog.position() + Integer.MAX_VALUE / 2;
    }

    private void hold(final int index, final int lengthBytes, final long epoch, final long inputPosition) {
        if (gate.offer(outbound.memory(), outbound.frameOffset(index), lengthBytes, epoch, inputPosition)
                && epoch > announcedEpoch) {
            announcedEpoch = epoch;
            newestHeldEpoch = epoch;
            heldOutputListener.onFirstOutputHeld(epoch);
        }
    }

    /** Behind whatever is still held, so that frames keep their order. */
    private void pass(final int index, final int lengthBytes, final long epoch) {
        final long offset = outbound.frameOffset(index);
        if (gate.isEmpty() && uplink.write(outbound.memory(), offset, lengthBytes)) {
            passedFrames++;
        } else {
            gate.offer(outbound.memory(), offset, lengthBytes, epoch);
        }
    }

    private int receiveFromUplink() {
        final int capacity = inbound.capacity();
        int count = 0;
        int read = 0;
        while (read < capacity && hasRoomForInput()) {
            final int lengthBytes =
                    uplink.read(inbound.memory(), inbound.frameOffset(count), inbound.frameCapacityBytes());
            if (lengthBytes == 0) {
                break;
            }
            read++;
            if (lengthBytes == inbound.frameCapacityBytes()) {
                // Possibly cut off: a NIC, too, drops what is longer than it can take.
                droppedFramesIn++;
                continue;
            }
            final long offset = inbound.frameOffset(count);
            if (inputLog != null && !inputLog.add(inbound.memory(), offset, lengthBytes)) {
                droppedFramesIn++;
                continue;
            }
            inbound.frameLengthBytes(count, lengthBytes);
            if (replay == null || replay.onInbound(inbound.memory(), offset, lengthBytes)) {
                inboundPositions[count] = inputLog == null ? 0 : inputLog.position();
                count++;
            }
        }
        deliver(count);
        return read;
    }

    /** Whether a frame can be logged, if that must be; else it waits at the uplink, which drops what it cannot keep. */
    private boolean hasRoomForInput() {
        final boolean isFull = inputLog != null && inputLog.isLogging() && !inputLog.hasRoom();
        if (isFull && !isInputStalled) {
            inputStalls++;
        }
        isInputStalled = isFull;
        return !isFull;
    }

    private void tellEmitted() {
        if (inputLog == null || !inputLog.isLogging()) {
            return;
        }
        emissionListener.tell(inputLog);
        // It stands behind the last frame. If only frames counted as taken, a guest that is sent nothing would fill the
        // log, and then nothing could ever arrive.
        final long position = inputLog.position();
        if (position != deliveredPosition && inboundQueue.isEmpty() && (replay == null || !replay.isWaiting())) {
            deliveredPosition = position;
        }
    }

    private int replay() {
        return replay == null ? 0 : replay.deliverDue(replaySink);
    }

    /** To the guest at once or not at all: what waits is the replay's to keep. */
    private boolean deliverReplayed(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (!inboundQueue.isEmpty()) {
            return false;
        }
        MemorySegment.copy(frames, offset, retry.memory(), retry.frameOffset(0), lengthBytes);
        retry.frameLengthBytes(0, lengthBytes);
        final int sent = guest.send(retry, 0, 1);
        deliveredFrames += sent;
        return sent == 1;
    }

    private void deliver(final int count) {
        if (count == 0) {
            return;
        }
        final int sent = inboundQueue.isEmpty() ? guest.send(inbound, 0, count) : 0;
        deliveredFrames += sent;
        if (sent > 0) {
            given(inboundPositions[sent - 1]);
        }
        for (int i = sent; i < count; i++) {
            final boolean isQueued = inboundQueue.offer(
                    inbound.memory(), inbound.frameOffset(i), inbound.frameLengthBytes(i), inboundPositions[i]);
            if (!isQueued) {
                droppedFramesIn++;
            }
        }
    }

    private int retryTowardsGuest() {
        if (inboundQueue.isEmpty()) {
            return 0;
        }
        final int count = inboundQueue.peek(retry);
        final int sent = guest.send(retry, 0, count);
        for (int i = 0; i < sent; i++) {
            given(inboundQueue.headLabel());
            inboundQueue.removeHead();
        }
        deliveredFrames += sent;
        return sent;
    }

    private void given(final long position) {
        givenPosition = position;
        deliveredPosition = position;
    }

    private void publishCounters() {
        final NetworkCounters counters = this.counters;
        final long undeliverable = guest.undeliverableFrames();
        counters.publish(NetworkCounter.RELEASED_FRAMES, releasedFrames);
        counters.publish(NetworkCounter.PASSED_FRAMES, passedFrames);
        counters.publish(NetworkCounter.HELD_FRAMES, gate.heldFrames());
        counters.publish(NetworkCounter.HELD_BYTES, gate.heldBytes());
        counters.publish(
                NetworkCounter.DROPPED_FRAMES_OUT, gate.droppedFrames() + malformedFramesOut + uplink.failedWrites());
        counters.publish(NetworkCounter.DISCARDED_FRAMES, discardedFrames + gate.discardedFrames());
        counters.publish(NetworkCounter.DELIVERED_FRAMES, deliveredFrames - undeliverable);
        counters.publish(NetworkCounter.QUEUED_FRAMES_IN, inboundQueue.frameCount());
        counters.publish(NetworkCounter.DROPPED_FRAMES_IN, droppedFramesIn + undeliverable);
        if (inputLog != null) {
            counters.publish(NetworkCounter.INPUT_LOG_BYTES, inputLog.replayBytes());
            counters.publish(NetworkCounter.INPUT_LAG_BYTES, inputLog.lagBytes());
            counters.publish(NetworkCounter.INPUT_STALLS, inputStalls);
            publishEmitted(NetworkCounter.EMITTED_FRAMES);
            publishEmitted(NetworkCounter.EMITTED_FLOWS);
            publishEmitted(NetworkCounter.EMITTED_FRAMES_LAST_EPOCH);
            publishEmitted(NetworkCounter.EMITTED_BYTES_LAST_EPOCH);
            publishEmitted(NetworkCounter.UNTRACKED_FRAMES);
        }
    }

    private void publishEmitted(final NetworkCounter counter) {
        counters.publish(counter, emissionListener.emitted(counter));
    }

    /** What is still held is lost: change the mode to {@link GateMode#PASS} first where it should leave. */
    @Override
    public void onClose() {
        publishCounters();
        guest.close();
        uplink.close();
        gate.close();
        inboundQueue.close();
        outbound.close();
        inbound.close();
        retry.close();
        arena.close();
    }
}
