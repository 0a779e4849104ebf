package org.resilire.backup;

import org.agrona.DirectBuffer;
import org.resilire.wire.sbe.InboundFrameDecoder;
import org.resilire.wire.sbe.InputEntryDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;

/**
 * Reads what a primary sends of the guest's input: frames that nothing depends on, for the redelivery after a takeover, and the entries of
 * the log of input replay, of which none may be missing. Link thread; allocates nothing as long as messages are sound.
 */
final class InputMessageReader {

    private final Replica replica;
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final InboundFrameDecoder inboundFrame = new InboundFrameDecoder();
    private final InputEntryDecoder inputEntry = new InputEntryDecoder();

    InputMessageReader(final Replica replica) {
        this.replica = replica;
    }

    /**
     * Reads a message; what is no input of this session is passed over.
     *
     * @return null, or what is wrong with the log
     */
    String read(final DirectBuffer buffer, final int offset, final int length, final long sessionId) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH) {
            return null;
        }
        header.wrap(buffer, offset);
        final int at = offset + MessageHeaderDecoder.ENCODED_LENGTH + header.blockLength();
        if (header.schemaId() != MessageHeaderDecoder.SCHEMA_ID || at > offset + length) {
            return null;
        }
        return switch (header.templateId()) {
            case InboundFrameDecoder.TEMPLATE_ID -> {
                readFrame(buffer, offset, at, length, sessionId);
                yield null;
            }
            case InputEntryDecoder.TEMPLATE_ID -> readEntry(buffer, offset, at, length, sessionId);
            default -> null;
        };
    }

    private void readFrame(
            final DirectBuffer buffer, final int offset, final int at, final int length, final long sessionId) {
        if (header.blockLength() < InboundFrameDecoder.BLOCK_LENGTH) {
            return;
        }
        inboundFrame.wrapAndApplyHeader(buffer, offset, header);
        if (inboundFrame.sessionId() == sessionId) {
            replica.redelivery().add(inboundFrame.epoch(), buffer, at, offset + length - at);
        }
    }

    private String readEntry(
            final DirectBuffer buffer, final int offset, final int at, final int length, final long sessionId) {
        if (header.blockLength() < InputEntryDecoder.BLOCK_LENGTH) {
            return null;
        }
        inputEntry.wrapAndApplyHeader(buffer, offset, header);
        return inputEntry.sessionId() != sessionId
                ? null
                : replica.replayLog()
                        .append(
                                inputEntry.kind(),
                                inputEntry.position(),
                                inputEntry.isFirst() != 0,
                                buffer,
                                at,
                                offset + length - at);
    }
}
