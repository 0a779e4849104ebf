package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;
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

        Message(
                final Type type,
                final long epoch,
                final int batchIndex,
                final int count,
                final int position,
                final byte[] payload) {
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

        @Override
        public String toString() {
            return type + " " + batchIndex + " of epoch " + epoch;
        }

        Message withEpoch(final long other) {
            return new Message(type, other, batchIndex, count, position, payload);
        }

        Message withBatchIndex(final int other) {
            return new Message(type, epoch, other, count, position, payload);
        }

        Message withCount(final int other) {
            return new Message(type, epoch, batchIndex, other, position, payload);
        }

        Message withPosition(final int other) {
            return new Message(type, epoch, batchIndex, count, other, payload);
        }

        Message withPayload(final byte[] other) {
            return new Message(type, epoch, batchIndex, count, position, other);
        }

        public Message withFlippedBit(final int bit) {
            final byte[] flipped = payload.clone();
            flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            return withPayload(flipped);
        }

        void sendTo(final EpochAssembler assembler) {
            final UnsafeBuffer buffer = new UnsafeBuffer(payload);
            switch (type) {
                case PAGES -> assembler.onPages(epoch, batchIndex, count, buffer, 0, payload.length);
                case DEVICE_STATE -> assembler.onDeviceState(epoch, batchIndex, position, buffer, 0, payload.length);
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
    private int deviceStateBytes;
    private long hashBytes;

    public EpochMessages(final long epoch, final EpochKind kind) {
        this.epoch = epoch;
        this.kind = kind;
    }

    public EpochMessages pages(final int count, final byte[] records) {
        pageCount += count;
        return add(Type.PAGES, count, 0, records);
    }

    public EpochMessages deviceState(final byte[] part) {
        final int position = deviceStateBytes;
        deviceStateBytes += part.length;
        return add(Type.DEVICE_STATE, 0, position, part);
    }

    public EpochMessages pageHashes(final byte[] part) {
        final int firstPage = (int) (hashBytes / Long.BYTES);
        hashBytes += part.length;
        return add(Type.PAGE_HASHES, part.length / Long.BYTES, firstPage, part);
    }

    private EpochMessages add(final Type type, final int count, final int position, final byte[] payload) {
        messages.add(new Message(type, epoch, messages.size(), count, position, payload));
        payloadBytes += payload.length;
        if (payload.length == 0) {
            checksum.add(MemorySegment.NULL, 0, 0);
            return this;
        }
        try (AnonymousMemory copy = AnonymousMemory.reserve("a payload", payload.length)) {
            MemorySegment.copy(payload, 0, copy.segment(), ValueLayout.JAVA_BYTE, 0, payload.length);
            checksum.add(copy.segment(), 0, payload.length);
        }
        return this;
    }

    /** The messages of the whole epoch, its end mark last. */
    public List<Message> end() {
        final byte[] end = new byte[EpochEndEncoder.BLOCK_LENGTH];
        new EpochEndEncoder()
                .wrap(new UnsafeBuffer(end), 0)
                .epoch(epoch)
                .batchCount(messages.size())
                .deviceStateBytes(deviceStateBytes)
                .pageCount(pageCount)
                .payloadBytes(payloadBytes)
                .checksum(checksum.value())
                .kind(kind);
        final List<Message> all = new ArrayList<>(messages);
        all.add(new Message(Type.END, epoch, 0, 0, 0, end));
        return all;
    }
}
