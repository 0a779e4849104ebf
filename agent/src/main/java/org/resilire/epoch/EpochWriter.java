package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.resilire.codec.PageRecord;
import org.resilire.epoch.CaptureChunk.Content;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.guest.PageRuns;
import org.resilire.wire.sbe.EpochKind;

/**
 * Writes one epoch after another into a pipe: changed blocks, then device state, then the end mark. Allocates nothing in steady
 * state. Used by the checkpoint thread only.
 */
public final class EpochWriter {

    private static final ValueLayout.OfLong HASH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final CapturePipe pipe;
    private final BlockIdentifier identifier;

    private CaptureChunk chunk;
    private EpochKind kind;
    private long epoch;
    private long changedPages;
    private long changedBlocks;
    private long capturedBytes;

    public EpochWriter(final CapturePipe pipe, final BlockIdentifier identifier) {
        this.pipe = pipe;
        this.identifier = identifier;
    }

    /** Starts an epoch. */
    public void begin(final long newEpoch, final EpochKind newKind) {
        epoch = newEpoch;
        kind = newKind;
        changedPages = 0;
        changedBlocks = 0;
        capturedBytes = 0;
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
            final CaptureChunk into = pagesChunk();
            final int lengthBytes = identifier.capture(page, into.memory(), into.writeOffset());
            if (lengthBytes != 0) {
                into.append(lengthBytes, 1);
                changedPages++;
                changedBlocks += (lengthBytes - PageRecord.HEADER_BYTES) / PageRecord.BLOCK_BYTES;
                capturedBytes += lengthBytes;
            }
        }
    }

    private CaptureChunk pagesChunk() {
        if (chunk != null && chunk.remainingBytes() < PageRecord.MAX_BYTES) {
            publish();
        }
        if (chunk == null) {
            chunk = pipe.claim().start(Content.PAGES, epoch, kind, 0);
        }
        return chunk;
    }

    /** Adds the device state. */
    public void deviceState(final MemorySegment state, final int lengthBytes) {
        publish();
        for (int offset = 0; offset < lengthBytes; ) {
            chunk = pipe.claim().start(Content.DEVICE_STATE, epoch, kind, offset);
            final int part = Math.min(lengthBytes - offset, chunk.remainingBytes());
            MemorySegment.copy(state, offset, chunk.memory(), chunk.writeOffset(), part);
            chunk.append(part, 0);
            offset += part;
            publish();
        }
        capturedBytes += lengthBytes;
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

    /** Ends the epoch. */
    public void end() {
        publish();
        chunk = pipe.claim().start(Content.EPOCH_END, epoch, kind, 0);
        publish();
    }

    private void publish() {
        if (chunk != null) {
            pipe.publish(chunk);
            chunk = null;
        }
    }

    /** Gives up the epoch: in an aborted pipe all chunks find their way home through the sender. */
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

    /** Bytes that this epoch captured, records and device state, before encoding. */
    public long capturedBytes() {
        return capturedBytes;
    }
}
