package org.resilire.epoch;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.codec.BatchCompression;
import org.resilire.codec.BatchCompressor;
import org.resilire.codec.PageRecord;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.EpochEndDecoder;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;

/** An epoch as a sender would send it, message by message, so that a test can leave out, repeat, reorder and spoil them. */
public final class EpochMessages {

    public enum Type {
        PAGES,
        DEVICE_STATE,
        PAGE_HASHES,
        END
    }

    /** One message; {@code count} and {@code position} mean what they mean on the wire. */
    public static final class Message {

        private final Type type;
        private final long epoch;
        private final int batchIndex;
        private final int count;
        private final int position;
        private final byte[] payload;
        private final short compression;
        private final int decodedBytes;

        Message(
                final Type type,
                final long epoch,
                final int batchIndex,
                final int count,
                final int position,
                final byte[] payload) {
            this(type, epoch, batchIndex, count, position, payload, Compression.NONE.value(), payload.length);
        }

        Message(
                final Type type,
                final long epoch,
                final int batchIndex,
                final int count,
                final int position,
                final byte[] payload,
                final short compression,
                final int decodedBytes) {
            this.compression = compression;
            this.decodedBytes = decodedBytes;
            this.type = type;
            this.epoch = epoch;
            this.batchIndex = batchIndex;
            this.count = count;
            this.position = position;
            this.payload = payload;
        }

        public Type type() {
            return type;
        }

        public long epoch() {
            return epoch;
        }

        public int batchIndex() {
            return batchIndex;
        }

        public int count() {
            return count;
        }

        public int position() {
            return position;
        }

        public byte[] payload() {
            return payload;
        }

        public short compression() {
            return compression;
        }

        public int decodedBytes() {
            return decodedBytes;
        }

        @Override
        public String toString() {
            return type + " " + batchIndex + " of epoch " + epoch;
        }

        Message withEpoch(final long other) {
            return new Message(type, other, batchIndex, count, position, payload, compression, decodedBytes);
        }

        Message withBatchIndex(final int other) {
            return new Message(type, epoch, other, count, position, payload, compression, decodedBytes);
        }

        Message withCount(final int other) {
            return new Message(type, epoch, batchIndex, other, position, payload, compression, decodedBytes);
        }

        Message withPosition(final int other) {
            return new Message(type, epoch, batchIndex, count, other, payload, compression, decodedBytes);
        }

        Message withPayload(final byte[] other) {
            final boolean plain = compression == Compression.NONE.value();
            return new Message(
                    type, epoch, batchIndex, count, position, other, compression, plain ? other.length : decodedBytes);
        }

        Message withCompression(final short other) {
            return new Message(type, epoch, batchIndex, count, position, payload, other, decodedBytes);
        }

        Message withDecodedBytes(final int other) {
            return new Message(type, epoch, batchIndex, count, position, payload, compression, other);
        }

        public Message withFlippedBit(final int bit) {
            final byte[] flipped = payload.clone();
            flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            return withPayload(flipped);
        }

        void sendTo(final EpochAssembler assembler) {
            final UnsafeBuffer buffer = new UnsafeBuffer(payload);
            switch (type) {
                case PAGES ->
                    assembler.onPages(epoch, batchIndex, count, compression, decodedBytes, buffer, 0, payload.length);
                case DEVICE_STATE ->
                    assembler.onDeviceState(
                            epoch, batchIndex, count, compression, decodedBytes, buffer, 0, payload.length);
                case PAGE_HASHES -> assembler.onPageHashes(epoch, batchIndex, position, buffer, 0, payload.length);
                case END ->
                    assembler.onEnd(new EpochEndDecoder()
                            .wrap(buffer, 0, EpochEndDecoder.BLOCK_LENGTH, EpochEndDecoder.SCHEMA_VERSION));
            }
        }
    }

    private final long epoch;
    private final EpochKind kind;
    private final List<Message> messages = new ArrayList<>();
    private final Checksum checksum = new Checksum();
    private long pageCount;
    private long payloadBytes;
    private final ByteArrayOutputStream deviceState = new ByteArrayOutputStream();
    private long hashBytes;

    public EpochMessages(final long epoch, final EpochKind kind) {
        this.epoch = epoch;
        this.kind = kind;
    }

    public EpochMessages pages(final int count, final byte[] records) {
        pageCount += count;
        return add(Type.PAGES, count, 0, records);
    }

    /** The next bytes of the device state, as records of whole blocks; every part but the last must end with a page. */
    public EpochMessages deviceState(final byte[] part) {
        return deviceState(part, false);
    }

    /** The same, as one LZ4 block; it must get shorter by that. */
    public EpochMessages compressedDeviceState(final byte[] part) {
        return deviceState(part, true);
    }

    private EpochMessages deviceState(final byte[] part, final boolean compressed) {
        if (deviceState.size() % PageRecord.PAGE_BYTES != 0) {
            throw new IllegalArgumentException("the part before this one ended within a page");
        }
        final int firstPage = deviceState.size() / PageRecord.PAGE_BYTES;
        deviceState.writeBytes(part);
        final ByteArrayOutputStream records = new ByteArrayOutputStream();
        int count = 0;
        for (int from = 0; from < part.length; from += PageRecord.PAGE_BYTES) {
            final int length = Math.min(part.length - from, PageRecord.PAGE_BYTES);
            final int blocks = (length + PageRecord.BLOCK_BYTES - 1) / PageRecord.BLOCK_BYTES;
            final long mask = -1L >>> (Long.SIZE - blocks);
            final byte[] record = new byte[PageRecord.lengthBytes(mask)];
            PageRecord.putHeader(MemorySegment.ofArray(record), 0, firstPage + count, PageRecord.BLOCKS, mask);
            System.arraycopy(part, from, record, PageRecord.HEADER_BYTES, length);
            records.writeBytes(record);
            count++;
        }
        final byte[] plain = records.toByteArray();
        return compressed
                ? add(Type.DEVICE_STATE, count, 0, lz4(plain), Compression.LZ4, plain.length)
                : add(Type.DEVICE_STATE, count, 0, plain);
    }

    private static byte[] lz4(final byte[] plain) {
        try (BatchCompressor compressor = new BatchCompressor(plain.length);
                AnonymousMemory batch = nativeCopy(plain)) {
            final int length =
                    compressor.compress(BatchCompression.LZ4, batch.segment(), 0, plain.length, batch.segment(), 0);
            if (length == BatchCompressor.NOT_SHORTER) {
                throw new IllegalArgumentException("these records do not get shorter");
            }
            return batch.segment().asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Says at the end that the device state is this, whatever its records make of it. */
    public EpochMessages announcingDeviceState(final byte[] whole) {
        deviceState.reset();
        deviceState.writeBytes(whole);
        return this;
    }

    /** Records of the device state as they are; nothing is added to what it is announced to be. */
    public EpochMessages deviceStateRecords(final int count, final byte[] records) {
        return add(Type.DEVICE_STATE, count, 0, records);
    }

    public EpochMessages pageHashes(final byte[] part) {
        final int firstPage = (int) (hashBytes / Long.BYTES);
        hashBytes += part.length;
        return add(Type.PAGE_HASHES, part.length / Long.BYTES, firstPage, part);
    }

    private EpochMessages add(final Type type, final int count, final int position, final byte[] payload) {
        return add(type, count, position, payload, Compression.NONE, payload.length);
    }

    private EpochMessages add(
            final Type type,
            final int count,
            final int position,
            final byte[] payload,
            final Compression compression,
            final int decodedBytes) {
        messages.add(
                new Message(type, epoch, messages.size(), count, position, payload, compression.value(), decodedBytes));
        payloadBytes += payload.length;
        if (payload.length == 0) {
            checksum.add(MemorySegment.NULL, 0, 0);
            return this;
        }
        try (AnonymousMemory copy = nativeCopy(payload)) {
            checksum.add(copy.segment(), 0, payload.length);
        }
        return this;
    }

    private static AnonymousMemory nativeCopy(final byte[] bytes) {
        final AnonymousMemory copy = AnonymousMemory.reserve("bytes of a test", bytes.length);
        MemorySegment.copy(bytes, 0, copy.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return copy;
    }

    private long deviceStateChecksum() {
        if (deviceState.size() == 0) {
            return 0;
        }
        try (AnonymousMemory copy = nativeCopy(deviceState.toByteArray())) {
            return Checksum.hash(copy.segment(), 0, deviceState.size());
        }
    }

    /** The messages of the whole epoch, its end mark last. */
    public List<Message> end() {
        final byte[] end = new byte[EpochEndEncoder.BLOCK_LENGTH];
        new EpochEndEncoder()
                .wrap(new UnsafeBuffer(end), 0)
                .epoch(epoch)
                .batchCount(messages.size())
                .deviceStateBytes(deviceState.size())
                .pageCount(pageCount)
                .payloadBytes(payloadBytes)
                .checksum(checksum.value())
                .deviceStateChecksum(deviceStateChecksum())
                .kind(kind);
        final List<Message> all = new ArrayList<>(messages);
        all.add(new Message(Type.END, epoch, 0, 0, 0, end));
        return all;
    }
}
