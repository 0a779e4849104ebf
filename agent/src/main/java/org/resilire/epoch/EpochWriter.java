package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.resilire.codec.PageRecord;
import org.resilire.epoch.CaptureChunk.Content;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.guest.PageRuns;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.EpochKind;

/**
 * Writes one epoch after another into a pipe: changed blocks, then device state, then the end mark. Allocates nothing in steady
 * state. Used by the checkpoint thread only.
 */
public final class EpochWriter {

    private static final ValueLayout.OfLong HASH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final CapturePipe pipe;
    private final boolean encodeInPauses;

    private BlockIdentifier identifier;
    private DeviceStateCapture device;
    private CaptureChunk chunk;
    private EpochKind kind;
    private long epoch;
    private long changedPages;
    private long changedBlocks;
    private long capturedBytes;
    private int deviceStateBytes;
    private long deviceStateChecksum;

    /** @param encodeInPauses whether the encoder has a core for itself, and so need not wait for a pause to end */
    public EpochWriter(final CapturePipe pipe, final ModeParts mode, final boolean encodeInPauses) {
        this(pipe, mode.identifier(), mode.deviceState(), encodeInPauses);
    }

    EpochWriter(
            final CapturePipe pipe,
            final BlockIdentifier identifier,
            final DeviceStateCapture device,
            final boolean encodeInPauses) {
        this.encodeInPauses = encodeInPauses;
        this.pipe = pipe;
        this.identifier = identifier;
        this.device = device;
    }

    /** Captures in another mode from the next session on. */
    public void adopt(final ModeParts mode) {
        identifier = mode.identifier();
        device = mode.deviceState();
    }

    /** Starts a session: the peer has nothing but zeroes. Nothing captured may be waiting to be encoded. */
    public void reset() {
        if (!pipe.isIdle()) {
            throw new IllegalStateException("a session begins while something of another is still to be encoded");
        }
        identifier.reset();
        device.reset();
    }

    /** Starts an epoch. */
    public void begin(final long newEpoch, final EpochKind newKind) {
        epoch = newEpoch;
        kind = newKind;
        changedPages = 0;
        changedBlocks = 0;
        capturedBytes = 0;
        deviceStateBytes = 0;
        deviceStateChecksum = 0;
    }

    /** The guest stands still: nobody is to compete for the CPU with what is captured from here on. */
    public void pauseBegan() {
        if (!encodeInPauses) {
            pipe.hold();
        }
    }

    /** The guest runs again. */
    public void pauseEnded() {
        pipe.release();
    }

    /** Captures what changed in these pages. */
    public void capture(final PageRuns runs) {
        final int size = runs.size();
        for (int i = 0; i < size; i++) {
            capture(runs.firstPage(i), runs.pageCount(i));
        }
    }

    /** Captures what changed in a run of pages. */
    public void capture(final long firstPage, final long pageCount) {
        for (long page = firstPage; page < firstPage + pageCount; page++) {
            final CaptureChunk into = recordsChunk(Content.PAGES);
            final int lengthBytes = identifier.capture(page, into.memory(), into.writeOffset());
            if (lengthBytes != 0) {
                into.append(lengthBytes, 1);
                changedPages++;
                changedBlocks += (lengthBytes - PageRecord.HEADER_BYTES) / PageRecord.BLOCK_BYTES;
                capturedBytes += lengthBytes;
            }
        }
    }

    private CaptureChunk recordsChunk(final Content content) {
        if (chunk != null && chunk.remainingBytes() < PageRecord.MAX_BYTES) {
            publish();
        }
        if (chunk == null) {
            chunk = pipe.claim().start(content, epoch, kind, 0);
        }
        return chunk;
    }

    /** Where the guest's device state is to be saved. */
    public MemorySegment deviceState() {
        return device.segment();
    }

    /** Adds what changed in the device state, of which so many bytes were saved. */
    public void captureDeviceState(final int lengthBytes) {
        publish();
        final long pages = DeviceStateCapture.pagesOf(lengthBytes);
        for (long page = 0; page < pages; page++) {
            final CaptureChunk into = recordsChunk(Content.DEVICE_STATE);
            final int recordBytes = device.capture(page, into.memory(), into.writeOffset());
            if (recordBytes != 0) {
                into.append(recordBytes, 1);
                capturedBytes += recordBytes;
            }
        }
        publish();
        deviceStateBytes = lengthBytes;
        deviceStateChecksum = Checksum.hash(device.segment(), 0, lengthBytes);
    }

    /** Adds the hash of every page of the guest's memory, for the backup to compare with its own. The guest is paused. */
    public void pageHashes(final PageHasher hasher) {
        publish();
        for (long page = 0; page < hasher.pageCount(); page++) {
            if (chunk == null) {
                chunk = pipe.claim().start(Content.PAGE_HASHES, epoch, kind, (int) page);
            }
            chunk.memory().set(HASH, chunk.writeOffset(), hasher.hash(page));
            chunk.append(Long.BYTES, 1);
            if (chunk.remainingBytes() < Long.BYTES) {
                publish();
            }
        }
        publish();
    }

    /** Hands over what was captured so far, so that it can be encoded. */
    public void flush() {
        publish();
    }

    /** Ends the epoch. */
    public void end() {
        publish();
        chunk = pipe.claim().startEnd(epoch, kind, deviceStateBytes, deviceStateChecksum);
        publish();
    }

    private void publish() {
        if (chunk != null) {
            pipe.publish(chunk);
            chunk = null;
        }
    }

    /** Gives up the epoch: in an aborted pipe all chunks find their way home through the encoder. */
    public void abandon() {
        publish();
    }

    /** Pages of this epoch in which something changed. */
    public long changedPages() {
        return changedPages;
    }

    /** Blocks of 64 B of this epoch that changed. */
    public long changedBlocks() {
        return changedBlocks;
    }

    /** Bytes that this epoch captured, records of memory and device state, before encoding. */
    public long capturedBytes() {
        return capturedBytes;
    }
}
