package org.resilire.net;

import java.util.Objects;
import org.agrona.BitUtil;
import org.resilire.linux.UnixDatagramSocket;

/** What a {@link GuestNetwork} is made of. Set, then hand over; {@link #conclude()} checks it all before anything starts. */
public final class GuestNetworkContext {

    /** A jumbo frame of 9,000 bytes with Ethernet header and VLAN tag, and room to see that one is longer. */
    public static final int DEFAULT_FRAME_CAPACITY_BYTES = 10_240;

    /** 600 frames of 1,500 bytes: what arrives in a pause of 7 ms at 1 Gbit/s. */
    public static final int DEFAULT_INBOUND_QUEUE_BYTES = 1 << 20;

    public static final int DEFAULT_BATCH_FRAMES = 64;
    public static final int DEFAULT_RELEASE_LIMIT_FRAMES = 256;

    private static final int MIN_FRAME_CAPACITY_BYTES = 1_519;
    private static final int MAX_BATCH_FRAMES = 1_024;

    private UnixDatagramSocket guestSocket;
    private OutputEpochs epochs;
    private Uplink uplink = new NoUplink();
    private InboundLog inputLog;
    private EmissionListener emissionListener = EmissionListener.NONE;
    private HeldOutputListener heldOutputListener = HeldOutputListener.NONE;
    private int gateCapacityBytes = OutputGate.DEFAULT_CAPACITY_BYTES;
    private int inboundQueueBytes = DEFAULT_INBOUND_QUEUE_BYTES;
    private int frameCapacityBytes = DEFAULT_FRAME_CAPACITY_BYTES;
    private int batchFrames = DEFAULT_BATCH_FRAMES;
    private int releaseLimitFrames = DEFAULT_RELEASE_LIMIT_FRAMES;

    /** @throws IllegalArgumentException naming the setting that cannot be */
    void conclude() {
        Objects.requireNonNull(guestSocket, "guestSocket");
        Objects.requireNonNull(epochs, "epochs");
        Objects.requireNonNull(uplink, "uplink");
        Objects.requireNonNull(emissionListener, "emissionListener");
        Objects.requireNonNull(heldOutputListener, "heldOutputListener");
        requireRing("output gate", gateCapacityBytes);
        requireRing("inbound queue", inboundQueueBytes);
        if (frameCapacityBytes < MIN_FRAME_CAPACITY_BYTES) {
            throw new IllegalArgumentException("room for frames must be at least " + MIN_FRAME_CAPACITY_BYTES
                    + " bytes, an Ethernet frame and one, not " + frameCapacityBytes);
        }
        if (batchFrames < 1 || batchFrames > MAX_BATCH_FRAMES) {
            throw new IllegalArgumentException(
                    "a batch must have 1 to " + MAX_BATCH_FRAMES + " frames, not " + batchFrames);
        }
        if (releaseLimitFrames < 1) {
            throw new IllegalArgumentException(
                    "a duty cycle must release at least one frame, not " + releaseLimitFrames);
        }
    }

    private void requireRing(final String what, final int capacityBytes) {
        if (!BitUtil.isPowerOfTwo(capacityBytes) || capacityBytes < 2 * (frameCapacityBytes + FrameRing.HEADER_BYTES)) {
            throw new IllegalArgumentException("the " + what + " must have a power of two of bytes with room for two "
                    + "frames of " + frameCapacityBytes + ", not " + capacityBytes);
        }
    }

    /** The peer of the guest's NIC. Required; the network closes it. */
    public GuestNetworkContext guestSocket(final UnixDatagramSocket socket) {
        guestSocket = socket;
        return this;
    }

    public UnixDatagramSocket guestSocket() {
        return guestSocket;
    }

    /** Required; the network does not close it. */
    public GuestNetworkContext epochs(final OutputEpochs outputEpochs) {
        epochs = outputEpochs;
        return this;
    }

    public OutputEpochs epochs() {
        return epochs;
    }

    /** Default: nowhere. The network closes it. */
    public GuestNetworkContext uplink(final Uplink frameUplink) {
        uplink = frameUplink;
        return this;
    }

    public Uplink uplink() {
        return uplink;
    }

    /** Has each frame before the guest does. Default: none. The network does not close it. */
    public GuestNetworkContext inputLog(final InboundLog log) {
        inputLog = log;
        return this;
    }

    public InboundLog inputLog() {
        return inputLog;
    }

    public GuestNetworkContext emissionListener(final EmissionListener listener) {
        emissionListener = listener;
        return this;
    }

    public EmissionListener emissionListener() {
        return emissionListener;
    }

    public GuestNetworkContext heldOutputListener(final HeldOutputListener listener) {
        heldOutputListener = listener;
        return this;
    }

    public HeldOutputListener heldOutputListener() {
        return heldOutputListener;
    }

    /** How much output can be held; a power of two. */
    public GuestNetworkContext gateCapacityBytes(final int capacityBytes) {
        gateCapacityBytes = capacityBytes;
        return this;
    }

    public int gateCapacityBytes() {
        return gateCapacityBytes;
    }

    /** How much can wait for a guest that takes nothing; a power of two. */
    public GuestNetworkContext inboundQueueBytes(final int capacityBytes) {
        inboundQueueBytes = capacityBytes;
        return this;
    }

    public int inboundQueueBytes() {
        return inboundQueueBytes;
    }

    /** Room for one frame; longer frames, and inbound ones of just this length, are dropped. */
    public GuestNetworkContext frameCapacityBytes(final int capacityBytes) {
        frameCapacityBytes = capacityBytes;
        return this;
    }

    public int frameCapacityBytes() {
        return frameCapacityBytes;
    }

    /** How many frames one system call or one duty cycle receives. */
    public GuestNetworkContext batchFrames(final int frames) {
        batchFrames = frames;
        return this;
    }

    public int batchFrames() {
        return batchFrames;
    }

    /** How many held frames one duty cycle releases. */
    public GuestNetworkContext releaseLimitFrames(final int frames) {
        releaseLimitFrames = frames;
        return this;
    }

    public int releaseLimitFrames() {
        return releaseLimitFrames;
    }
}
