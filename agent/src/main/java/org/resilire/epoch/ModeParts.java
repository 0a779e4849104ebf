package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.NanoClock;
import org.resilire.codec.BatchCompressor;
import org.resilire.codec.CompressionChoice;
import org.resilire.codec.PageEncoder;
import org.resilire.codec.SharingIndex;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.fgbi.BlockSize;
import org.resilire.fgbi.DeferredShadowIdentifier;
import org.resilire.fgbi.HashBlockIdentifier;
import org.resilire.fgbi.SentMemory;
import org.resilire.fgbi.ShadowBlockIdentifier;
import org.resilire.fgbi.WholePageIdentifier;
import org.resilire.simd.BlockKernels;

/**
 * What a {@link ReplicationMode} is made of, for one guest: the identifiers belong to the checkpoint thread, the encoders to the
 * encoder's.
 */
public final class ModeParts implements AutoCloseable {

    private static final long MIN_INDEX_BYTES = 1 << 20;
    private static final long MAX_INDEX_BYTES = 256 << 20;

    /** 8 bytes of index find a block of 64: an eighth would find every block of the guest. This finds the latest quarter. */
    private static final long MEMORY_PER_INDEX_BYTE = 32;

    private final ReplicationMode mode;
    private final BlockKernels kernels;
    private final SentMemory sentMemory;
    private final SharingIndex index;
    private final BlockIdentifier identifier;
    private final PageEncoder pageEncoder;
    private final SentMemory sentDeviceState;
    private final DeviceStateCapture deviceState;
    private final PageEncoder deviceEncoder;
    private final BatchCompressor compressor = new BatchCompressor(EpochEncoder.MAX_BATCH_BYTES);

    /** @param guest the guest's memory, whole pages */
    public ModeParts(final ReplicationMode mode, final MemorySegment guest, final BlockKernels kernels) {
        this.mode = mode;
        this.kernels = kernels;
        sentMemory = mode.keepsSentMemory() ? new SentMemory("the guest's memory", guest.byteSize()) : null;
        index = mode.sharing()
                ? new SharingIndex(
                        Math.clamp(guest.byteSize() / MEMORY_PER_INDEX_BYTE, MIN_INDEX_BYTES, MAX_INDEX_BYTES), kernels)
                : null;
        identifier = identifierOf(guest);
        pageEncoder = new PageEncoder(mode.pageOptions(), segmentOf(sentMemory), kernels, index);
        // As small as it is, it is told by a shadow whenever anything is.
        final boolean wholeDeviceState =
                !mode.deviceOptions().needsSentMemory() && mode.identification() == ReplicationMode.Identification.PAGE;
        sentDeviceState =
                wholeDeviceState ? null : new SentMemory("the device state", EpochAssembler.MAX_DEVICE_STATE_BYTES);
        deviceState = new DeviceStateCapture(memory -> wholeDeviceState
                ? new WholePageIdentifier(memory, null, kernels)
                : new DeferredShadowIdentifier(memory, sentDeviceState, kernels, BlockSize.B64));
        deviceEncoder = new PageEncoder(mode.deviceOptions(), segmentOf(sentDeviceState), kernels, null);
    }

    private BlockIdentifier identifierOf(final MemorySegment guest) {
        return switch (mode.identification()) {
            case PAGE -> new WholePageIdentifier(guest, sentMemory, kernels);
            case HASH -> new HashBlockIdentifier(guest, kernels, mode.blockSize());
            case SHADOW ->
                sentMemory == null
                        ? new ShadowBlockIdentifier(guest, kernels)
                        : new DeferredShadowIdentifier(guest, sentMemory, kernels, mode.blockSize());
        };
    }

    private static MemorySegment segmentOf(final SentMemory memory) {
        return memory == null ? null : memory.segment();
    }

    public ReplicationMode mode() {
        return mode;
    }

    BlockIdentifier identifier() {
        return identifier;
    }

    DeviceStateCapture deviceState() {
        return deviceState;
    }

    /** Encoder of the guest's memory; its figures are the encoder's thread's. */
    public PageEncoder pageEncoder() {
        return pageEncoder;
    }

    BatchEncoder pageBatches(final NanoClock clock) {
        return new BatchEncoder(pageEncoder, new CompressionChoice(mode.pageOptions(), clock), compressor);
    }

    BatchEncoder deviceBatches(final NanoClock clock) {
        return new BatchEncoder(deviceEncoder, new CompressionChoice(mode.deviceOptions(), clock), compressor);
    }

    /** Memory for the copy of what was sent, at most; 0 if there is none. */
    public long shadowBytes() {
        final long own = mode.identification() == ReplicationMode.Identification.SHADOW ? identifier.memoryBytes() : 0;
        return own + (sentMemory == null ? 0 : sentMemory.lengthBytes());
    }

    /** Memory for hashes, at most; 0 if there are none. */
    public long hashBytes() {
        return mode.identification() == ReplicationMode.Identification.HASH ? identifier.memoryBytes() : 0;
    }

    /** Memory for finding blocks to share; 0 if none are. */
    public long indexBytes() {
        return index == null ? 0 : index.capacityBytes();
    }

    @Override
    public void close() {
        compressor.close();
        deviceState.close();
        identifier.close();
        if (sentDeviceState != null) {
            sentDeviceState.close();
        }
        if (index != null) {
            index.close();
        }
        if (sentMemory != null) {
            sentMemory.close();
        }
    }
}
