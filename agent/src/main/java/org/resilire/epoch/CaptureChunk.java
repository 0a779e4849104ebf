package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.EpochKind;

/**
 * A piece of an epoch on its way from capture to encoder, or from there to the wire, in native memory. Room before the payload is
 * kept for the message header, so that the chunk leaves without being copied. Owned by one thread at a time: the
 * {@link CapturePipe} hands it over.
 */
public final class CaptureChunk {

    /** Space before the payload. */
    public static final int HEADER_ROOM_BYTES = 128;

    /** What the payload is. */
    public enum Content {
        PAGES,
        DEVICE_STATE,
        PAGE_HASHES,
        EPOCH_END
    }

    private final MemorySegment memory;
    private final UnsafeBuffer buffer;

    private Content content;
    private EpochKind kind;
    private long epoch;
    private int payloadBytes;
    private int recordCount;
    private int position;
    private int decodedBytes;
    private Compression compression;
    private long deviceStateChecksum;

    CaptureChunk(final MemorySegment memory) {
        this.memory = memory;
        // SAFETY: the pipe that owns the memory outlives its chunks.
        this.buffer = new UnsafeBuffer(memory.address(), (int) memory.byteSize());
    }

    CaptureChunk start(final Content newContent, final long newEpoch, final EpochKind newKind, final int newPosition) {
        content = newContent;
        epoch = newEpoch;
        kind = newKind;
        position = newPosition;
        payloadBytes = 0;
        recordCount = 0;
        decodedBytes = 0;
        compression = Compression.NONE;
        deviceStateChecksum = 0;
        return this;
    }

    /** The payload stands here in another form now. */
    void compressed(final Compression how, final int lengthBytes) {
        decodedBytes = payloadBytes;
        payloadBytes = lengthBytes;
        compression = how;
    }

    /** Becomes the end of an epoch; a synchronisation's has no device state, 0 bytes of it. */
    CaptureChunk startEnd(
            final long newEpoch, final EpochKind newKind, final int stateBytes, final long stateChecksum) {
        start(Content.EPOCH_END, newEpoch, newKind, stateBytes);
        deviceStateChecksum = stateChecksum;
        return this;
    }

    /** The whole chunk; the payload starts at {@link #HEADER_ROOM_BYTES}. */
    public MemorySegment memory() {
        return memory;
    }

    /** The whole chunk as Aeron wants it. */
    public UnsafeBuffer buffer() {
        return buffer;
    }

    /** Where the next payload byte goes. */
    long writeOffset() {
        return HEADER_ROOM_BYTES + (long) payloadBytes;
    }

    int remainingBytes() {
        return (int) memory.byteSize() - HEADER_ROOM_BYTES - payloadBytes;
    }

    void append(final int lengthBytes, final int records) {
        payloadBytes += lengthBytes;
        recordCount += records;
    }

    public Content content() {
        return content;
    }

    public EpochKind kind() {
        return kind;
    }

    public long epoch() {
        return epoch;
    }

    public int payloadBytes() {
        return payloadBytes;
    }

    /** Page records or hashes in the payload. */
    public int recordCount() {
        return recordCount;
    }

    /** First page of the hashes, or at an epoch's end the length of the whole device state. */
    public int position() {
        return position;
    }

    /** Length of the payload once it is decompressed. */
    public int decodedBytes() {
        return compression == Compression.NONE ? payloadBytes : decodedBytes;
    }

    /** How the payload is compressed. */
    public Compression compression() {
        return compression;
    }

    /** At an epoch's end: of the whole device state. */
    public long deviceStateChecksum() {
        return deviceStateChecksum;
    }
}
