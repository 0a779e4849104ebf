package org.resilire.net;

import java.lang.foreign.MemorySegment;
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
    private final InboundFrameListener inboundListener;
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
    private volatile long newestHeldEpoch = -1;

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
        inboundListener = context.inboundListener();
        heldOutputListener = context.heldOutputListener();
        releaseLimit = context.releaseLimitFrames();
    }

    @Override
    public int doWork() {
        int workCount = 0;
        workCount += releaseOutput();
        workCount += receiveFromGuest();
        workCount += retryTowardsGuest();
        workCount += receiveFromUplink();
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
        return isOutputBlocked || !inboundQueue.isEmpty();
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

    private int receiveFromGuest() {
        final int received = guest.receive(outbound);
        if (received == 0) {
            return 0;
        }
        // Law 1: only now, after the frames, may mode and epoch be read; see the labelling rule of OutputEpochs.
        final long epoch = epochs.currentEpoch();
        final GateMode mode = epochs.mode();
        for (int i = 0; i < received; i++) {
            final int lengthBytes = outbound.frameLengthBytes(i);
            if (lengthBytes == 0) {
                malformedFramesOut++;
            } else if (mode == GateMode.HOLD) {
                hold(i, lengthBytes, epoch);
            } else if (mode == GateMode.PASS) {
                pass(i, lengthBytes, epoch);
            } else {
                discardedFrames++;
            }
        }
        return received;
    }

    private void hold(final int index, final int lengthBytes, final long epoch) {
        if (gate.offer(outbound.memory(), outbound.frameOffset(index), lengthBytes, epoch) && epoch > announcedEpoch) {
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
        while (read < capacity) {
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
            inbound.frameLengthBytes(count, lengthBytes);
            inboundListener.onInboundFrame(inbound.memory(), inbound.frameOffset(count), lengthBytes);
            count++;
        }
        deliver(count);
        return read;
    }

    private void deliver(final int count) {
        if (count == 0) {
            return;
        }
        final int sent = inboundQueue.isEmpty() ? guest.send(inbound, 0, count) : 0;
        deliveredFrames += sent;
        for (int i = sent; i < count; i++) {
            if (!inboundQueue.offer(inbound.memory(), inbound.frameOffset(i), inbound.frameLengthBytes(i), 0)) {
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
            inboundQueue.removeHead();
        }
        deliveredFrames += sent;
        return sent;
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
    }
}
