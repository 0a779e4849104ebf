package org.resilire.backup;

import org.agrona.DirectBuffer;
import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.ProtocolViolationException;
import org.resilire.wire.sbe.DeviceStateDecoder;
import org.resilire.wire.sbe.DiskChangesDecoder;
import org.resilire.wire.sbe.EpochEndDecoder;
import org.resilire.wire.sbe.InputBoundaryDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.PageBatchDecoder;
import org.resilire.wire.sbe.PageHashesDecoder;

/**
 * Reads what a primary sends of its epochs, and stages it: no type, block or length is believed that the message itself does not bear
 * out. Link thread; allocates nothing as long as messages are sound.
 */
final class EpochMessageReader {

    /** What a message was. */
    enum Outcome {
        OF_ANOTHER_SESSION,
        STAGED,
        /** The last of its epoch, of which everything is staged now. */
        COMPLETED
    }

    private final Replica replica;
    private final EpochAssembler assembler;
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final PageBatchDecoder pageBatch = new PageBatchDecoder();
    private final DeviceStateDecoder deviceState = new DeviceStateDecoder();
    private final PageHashesDecoder pageHashes = new PageHashesDecoder();
    private final DiskChangesDecoder diskChanges = new DiskChangesDecoder();
    private final InputBoundaryDecoder inputBoundary = new InputBoundaryDecoder();
    private final EpochEndDecoder epochEnd = new EpochEndDecoder();

    EpochMessageReader(final Replica replica) {
        this.replica = replica;
        this.assembler = replica.assembler();
    }

    /**
     * Reads a message that has a header of this schema.
     *
     * @param sessionId of the open session
     * @throws ProtocolViolationException if the message, or its coming now, is wrong
     */
    Outcome read(final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        header.wrap(buffer, offset);
        return switch (header.templateId()) {
            case PageBatchDecoder.TEMPLATE_ID -> readPages(buffer, offset, length, sessionId);
            case DeviceStateDecoder.TEMPLATE_ID -> readDeviceState(buffer, offset, length, sessionId);
            case PageHashesDecoder.TEMPLATE_ID -> readPageHashes(buffer, offset, length, sessionId);
            case DiskChangesDecoder.TEMPLATE_ID -> readDiskChanges(buffer, offset, length, sessionId);
            case InputBoundaryDecoder.TEMPLATE_ID -> readInputBoundary(buffer, offset, length, sessionId);
            case EpochEndDecoder.TEMPLATE_ID -> readEnd(buffer, offset, length, sessionId);
            default -> throw new ProtocolViolationException("message type " + header.templateId() + " is unknown");
        };
    }

    private Outcome readPages(final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, PageBatchDecoder.BLOCK_LENGTH);
        pageBatch.wrapAndApplyHeader(buffer, offset, header);
        if (pageBatch.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        assembler.onPages(
                pageBatch.epoch(),
                pageBatch.batchIndex(),
                pageBatch.recordCount(),
                pageBatch.compressionRaw(),
                pageBatch.decodedBytes(),
                buffer,
                payloadOffset(offset, length, pageBatch.payloadBytes()),
                pageBatch.payloadBytes());
        return Outcome.STAGED;
    }

    private Outcome readDeviceState(
            final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, DeviceStateDecoder.BLOCK_LENGTH);
        deviceState.wrapAndApplyHeader(buffer, offset, header);
        if (deviceState.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        assembler.onDeviceState(
                deviceState.epoch(),
                deviceState.batchIndex(),
                deviceState.recordCount(),
                deviceState.compressionRaw(),
                deviceState.decodedBytes(),
                buffer,
                payloadOffset(offset, length, deviceState.payloadBytes()),
                deviceState.payloadBytes());
        return Outcome.STAGED;
    }

    private Outcome readPageHashes(
            final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, PageHashesDecoder.BLOCK_LENGTH);
        pageHashes.wrapAndApplyHeader(buffer, offset, header);
        if (pageHashes.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        assembler.onPageHashes(
                pageHashes.epoch(),
                pageHashes.batchIndex(),
                pageHashes.firstPage(),
                buffer,
                payloadOffset(offset, length, pageHashes.payloadBytes()),
                pageHashes.payloadBytes());
        return Outcome.STAGED;
    }

    private Outcome readDiskChanges(
            final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, DiskChangesDecoder.BLOCK_LENGTH);
        diskChanges.wrapAndApplyHeader(buffer, offset, header);
        if (diskChanges.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        assembler.onDiskChanges(
                diskChanges.epoch(),
                diskChanges.batchIndex(),
                diskChanges.diskIndex(),
                diskChanges.recordCount(),
                buffer,
                payloadOffset(offset, length, diskChanges.payloadBytes()),
                diskChanges.payloadBytes());
        return Outcome.STAGED;
    }

    private Outcome readInputBoundary(
            final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, InputBoundaryDecoder.BLOCK_LENGTH);
        inputBoundary.wrapAndApplyHeader(buffer, offset, header);
        if (inputBoundary.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        replica.inputBoundary(inputBoundary.epoch(), inputBoundary.position());
        return Outcome.STAGED;
    }

    private Outcome readEnd(final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        requireBlock(length, EpochEndDecoder.BLOCK_LENGTH);
        epochEnd.wrapAndApplyHeader(buffer, offset, header);
        if (epochEnd.sessionId() != sessionId) {
            return Outcome.OF_ANOTHER_SESSION;
        }
        assembler.onEnd(epochEnd);
        return Outcome.COMPLETED;
    }

    private void requireBlock(final int length, final int blockBytes) {
        if (header.blockLength() < blockBytes || length < MessageHeaderDecoder.ENCODED_LENGTH + header.blockLength()) {
            throw new ProtocolViolationException("message type " + header.templateId() + " is cut off");
        }
    }

    /** Where what follows the block stands, which must be as long as was announced. */
    private int payloadOffset(final int offset, final int length, final int announcedBytes) {
        final int at = offset + MessageHeaderDecoder.ENCODED_LENGTH + header.blockLength();
        final int presentBytes = offset + length - at;
        if (presentBytes != announcedBytes) {
            throw new ProtocolViolationException(announcedBytes + " bytes announced, " + presentBytes + " sent");
        }
        return at;
    }
}
