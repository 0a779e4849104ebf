package org.resilire.primary;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.epoch.CaptureChunk;
import org.resilire.epoch.CapturePipe;
import org.resilire.fault.FailurePoint;
import org.resilire.fault.FailurePoints;
import org.resilire.net.InboundLog;
import org.resilire.wire.sbe.DeviceStateEncoder;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.InputBoundaryEncoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.PageBatchEncoder;
import org.resilire.wire.sbe.PageHashesEncoder;

/**
 * Sends encoded chunks: puts the wire header into the room before the payload and offers both to Aeron in one piece. When Aeron
 * pushes back, the chunk stays and the pipe fills. Runs on the link thread; allocates nothing.
 */
final class EpochSender {

    /** Before the link looks after other things again. */
    private static final int DISK_MESSAGES_AT_A_TIME = 16;

    private final CapturePipe pipe;
    private final FailurePoints failurePoints;
    private final Runnable killGuest;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final PageBatchEncoder pageBatch = new PageBatchEncoder();
    private final DeviceStateEncoder deviceState = new DeviceStateEncoder();
    private final PageHashesEncoder pageHashes = new PageHashesEncoder();
    private final EpochEndEncoder epochEnd = new EpochEndEncoder();
    private final EpochTotals totals = new EpochTotals();
    private final DiskChangeSender disks;
    private final InputBoundaryEncoder inputBoundary = new InputBoundaryEncoder();
    private final UnsafeBuffer boundaryBuffer =
            new UnsafeBuffer(new byte[MessageHeaderEncoder.ENCODED_LENGTH + InputBoundaryEncoder.BLOCK_LENGTH]);
    private final TransferTimes transfers = new TransferTimes();

    private ExclusivePublication publication;
    private long sessionId;
    /** Null while input is not replayed. */
    private InboundLog replayedInput;

    private long boundarySentEpoch = -1;
    private CaptureChunk pending;
    private int messageOffset;
    private int messageBytes;

    private long pageCount;

    private long firstCheckpoint = Long.MAX_VALUE;
    private long lastSentEpoch = -1;
    private long wireBytesTotal;
    private long backPressured;

    EpochSender(
            final CapturePipe pipe,
            final DiskChangeSender disks,
            final FailurePoints failurePoints,
            final Runnable killGuest) {
        this.pipe = pipe;
        this.disks = disks;
        this.failurePoints = failurePoints;
        this.killGuest = killGuest;
    }

    /** Sends to this session from now on. */
    void open(final ExclusivePublication to, final long session, final long firstEpoch) {
        publication = to;
        sessionId = session;
        firstCheckpoint = Long.MAX_VALUE;
        transfers.reset();
        disks.open(to, session, firstEpoch);
        startEpoch();
    }

    /** Has each checkpoint of this session say what of this log it has seen. */
    void replaysInput(final InboundLog log) {
        replayedInput = log;
    }

    /** Drops chunks instead of sending them from now on. */
    void close() {
        disks.close(publication != null);
        publication = null;
        replayedInput = null;
        discardAll();
    }

    /** Sends what it can; returns the number of chunks dealt with. */
    int doWork(final long nowNanos) {
        if (publication == null) {
            return discardAll();
        }
        int sent = 0;
        // They keep coming while the epoch runs; between its batches, and all of them before its end.
        if (messageBytes == 0) {
            final int changes = disks.send(totals, DISK_MESSAGES_AT_A_TIME);
            if (changes < 0) {
                return onNotAccepted(disks.backPressure(), sent);
            }
            sent += changes;
        }
        while (pending != null || (pending = pipe.poll()) != null) {
            if (messageBytes == 0) {
                final boolean isEnd = pending.content() == CaptureChunk.Content.EPOCH_END;
                final int changes = disks.send(totals, isEnd ? Integer.MAX_VALUE : 1);
                if (changes < 0) {
                    return onNotAccepted(disks.backPressure(), sent);
                }
                sent += changes;
                encodeHeader();
                transfers.onMessage(pending.epoch(), messageBytes, nowNanos);
            }
            final long boundaryPosition = offerBoundary();
            final long position = boundaryPosition < 0
                    ? boundaryPosition
                    : publication.offer(pending.buffer(), messageOffset, messageBytes);
            if (position < 0) {
                return onNotAccepted(position, sent);
            }
            wireBytesTotal += messageBytes;
            sent++;
            onSent();
        }
        return sent;
    }

    /** Before the end of a checkpoint; negative if Aeron cannot take it now. */
    private long offerBoundary() {
        final long epoch = pending.epoch();
        final boolean isDue = replayedInput != null
                && boundarySentEpoch != epoch
                && pending.content() == CaptureChunk.Content.EPOCH_END
                && pending.kind() == EpochKind.CHECKPOINT;
        if (!isDue || replayedInput.boundary(epoch) < 0) {
            return 0;
        }
        inputBoundary
                .wrapAndApplyHeader(boundaryBuffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch)
                .position(replayedInput.boundary(epoch));
        final long position = publication.offer(boundaryBuffer);
        if (position >= 0) {
            boundarySentEpoch = epoch;
        }
        return position;
    }

    private int onNotAccepted(final long reason, final int sent) {
        if (reason == Publication.CLOSED || reason == Publication.MAX_POSITION_EXCEEDED) {
            throw new SessionEndedException(
                    "the stream to the backup closed (" + Publication.errorString(reason) + ")");
        }
        backPressured++;
        if (reason == Publication.BACK_PRESSURED && pending != null) {
            transfers.onBackPressure(pending.epoch());
        }
        return sent;
    }

    private void onSent() {
        final CaptureChunk sent = pending;
        pending = null;
        messageBytes = 0;
        if (sent.content() == CaptureChunk.Content.EPOCH_END) {
            lastSentEpoch = sent.epoch();
            disks.beginEpoch(sent.epoch() + 1);
            if (sent.kind() == EpochKind.CHECKPOINT) {
                firstCheckpoint = Math.min(firstCheckpoint, sent.epoch());
            }
            startEpoch();
            if (failurePoints.fires(FailurePoint.GUEST_KILL_BEFORE_ACK)) {
                killGuest.run();
            }
        } else {
            failurePoints.killIfFires(FailurePoint.PRIMARY_HALT_MID_EPOCH);
        }
        pipe.recycle(sent);
    }

    private void startEpoch() {
        pageCount = 0;
        totals.reset();
    }

    private int discardAll() {
        int discarded = 0;
        while (pending != null || (pending = pipe.poll()) != null) {
            pipe.recycle(pending);
            pending = null;
            messageBytes = 0;
            discarded++;
        }
        return discarded;
    }

    private void encodeHeader() {
        final CaptureChunk chunk = pending;
        if (chunk.content() == CaptureChunk.Content.EPOCH_END) {
            encodeEnd(chunk);
            return;
        }
        final int batch = totals.add(chunk.memory(), CaptureChunk.HEADER_ROOM_BYTES, chunk.payloadBytes());
        switch (chunk.content()) {
            case PAGES -> encodePages(chunk, batch);
            case DEVICE_STATE -> encodeDeviceState(chunk, batch);
            case PAGE_HASHES -> encodePageHashes(chunk, batch);
            case EPOCH_END -> throw new AssertionError();
        }
    }

    private UnsafeBuffer placeMessage(final CaptureChunk chunk, final int blockBytes) {
        messageOffset = CaptureChunk.HEADER_ROOM_BYTES - MessageHeaderEncoder.ENCODED_LENGTH - blockBytes;
        messageBytes = MessageHeaderEncoder.ENCODED_LENGTH + blockBytes + chunk.payloadBytes();
        return chunk.buffer();
    }

    private void encodePages(final CaptureChunk chunk, final int batch) {
        pageCount += chunk.recordCount();
        pageBatch
                .wrapAndApplyHeader(placeMessage(chunk, PageBatchEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batch)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .decodedBytes(chunk.decodedBytes())
                .compression(chunk.compression());
    }

    private void encodeDeviceState(final CaptureChunk chunk, final int batch) {
        deviceState
                .wrapAndApplyHeader(placeMessage(chunk, DeviceStateEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batch)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .decodedBytes(chunk.decodedBytes())
                .compression(chunk.compression());
    }

    private void encodePageHashes(final CaptureChunk chunk, final int batch) {
        pageHashes
                .wrapAndApplyHeader(placeMessage(chunk, PageHashesEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batch)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .firstPage(chunk.position());
    }

    private void encodeEnd(final CaptureChunk chunk) {
        epochEnd.wrapAndApplyHeader(placeMessage(chunk, EpochEndEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchCount(totals.batchCount())
                .deviceStateBytes(chunk.position())
                .pageCount(pageCount)
                .payloadBytes(totals.payloadBytes())
                .checksum(totals.checksum())
                .deviceStateChecksum(chunk.deviceStateChecksum())
                .kind(chunk.kind());
    }

    /** True once a checkpoint of this session was sent: synchronisation is over. */
    boolean isCheckpointSent() {
        return firstCheckpoint != Long.MAX_VALUE;
    }

    /** True if the backup, once it has this epoch of this session, can start from it. */
    boolean isRestorable(final long epoch) {
        return epoch >= firstCheckpoint;
    }

    /** The last epoch of which everything was sent; -1 before the first. */
    long lastSentEpoch() {
        return lastSentEpoch;
    }

    /** Whether something was sent, or is to be, after this epoch. */
    boolean isAwaitingMoreThan(final long acknowledgedEpoch) {
        return pending != null || acknowledgedEpoch < lastSentEpoch;
    }

    /** What it took to send the latest epochs. */
    TransferTimes transfers() {
        return transfers;
    }

    /** Bytes offered to Aeron so far, with message headers and without those of Aeron and UDP. */
    long wireBytesTotal() {
        return wireBytesTotal + disks.payloadBytesTotal();
    }

    /** How often Aeron could not take a chunk at once. */
    long backPressured() {
        return backPressured;
    }
}
