package org.resilire.primary;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.net.InboundLog;
import org.resilire.wire.sbe.InboundFrameEncoder;
import org.resilire.wire.sbe.InputEntryEncoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;

/**
 * Sends what the {@link InboundLog} holds: frames as a courtesy, or, where input is replayed, every entry in order, as often as it takes.
 * Link thread only; allocates nothing.
 */
final class InputSender implements InboundLog.Reader {

    private static final int ENTRIES_A_CYCLE = 64;
    private static final int MAX_HEADER_BYTES = 64;
    private static final int NEVER = -1;

    private final InboundLog log;
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[MAX_HEADER_BYTES]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final InboundFrameEncoder frame = new InboundFrameEncoder();
    private final InputEntryEncoder entry = new InputEntryEncoder();

    private ExclusivePublication publication;
    private long sessionId;
    private boolean isReplayed;
    private long sentPosition = NEVER;

    InputSender(final InboundLog log) {
        this.log = log;
    }

    /** What is logged from now on goes to this session. What is left of an earlier one is dropped. */
    void open(final ExclusivePublication to, final long session) {
        close();
        publication = to;
        sessionId = session;
    }

    /**
     * From now on everything is logged, and nothing left out.
     *
     * @param windowBytes how far the log may be ahead of the last committed checkpoint
     */
    void replayInput(final long windowBytes) {
        isReplayed = true;
        sentPosition = NEVER;
        log.open(windowBytes);
    }

    /** Drops what is logged from now on. */
    void close() {
        log.endSession();
        publication = null;
        isReplayed = false;
        while (log.drain(this, ENTRIES_A_CYCLE) > 0) {
            // Of a session that is over.
        }
    }

    /** Sends what it can; returns how many entries were dealt with. */
    int doWork() {
        return log.drain(this, ENTRIES_A_CYCLE);
    }

    /**
     * The backup says up to where it has everything.
     *
     * @return false if it cannot have it
     */
    boolean onAcknowledged(final long position) {
        if (!isReplayed || position > sentPosition || position < log.acknowledged()) {
            return false;
        }
        log.acknowledged(position);
        return true;
    }

    /** The backup has committed a checkpoint. */
    void onCommitted(final long epoch) {
        if (isReplayed) {
            log.committed(epoch);
        }
    }

    @Override
    public void onFrame(final long epoch, final MutableDirectBuffer frames, final int offset, final int lengthBytes) {
        if (publication != null) {
            frame.wrapAndApplyHeader(buffer, 0, header).sessionId(sessionId).epoch(epoch);
            // A frame that Aeron cannot take now is left out: its sender will repeat it.
            publication.offer(
                    buffer,
                    0,
                    MessageHeaderEncoder.ENCODED_LENGTH + InboundFrameEncoder.BLOCK_LENGTH,
                    frames,
                    offset,
                    lengthBytes);
        }
    }

    @Override
    public boolean onEntry(
            final boolean isEmitted,
            final long position,
            final MutableDirectBuffer entries,
            final int offset,
            final int lengthBytes) {
        if (publication == null || !isReplayed) {
            return true;
        }
        entry.wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .position(position)
                .kind((short) (isEmitted ? 1 : 0))
                .isFirst((short) (sentPosition == NEVER ? 1 : 0));
        final long result = publication.offer(
                buffer,
                0,
                MessageHeaderEncoder.ENCODED_LENGTH + InputEntryEncoder.BLOCK_LENGTH,
                entries,
                offset,
                lengthBytes);
        if (result == Publication.CLOSED || result == Publication.MAX_POSITION_EXCEEDED) {
            throw new SessionEndedException(
                    "the stream of input to the backup closed (" + Publication.errorString(result) + ")");
        }
        if (result < 0) {
            return false;
        }
        sentPosition = position;
        return true;
    }
}
