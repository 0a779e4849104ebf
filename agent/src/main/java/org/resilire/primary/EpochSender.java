package org.resilire.primary;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.epoch.CaptureChunk;
import org.resilire.epoch.CapturePipe;
import org.resilire.fault.FailurePoint;
import org.resilire.fault.FailurePoints;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.DeviceStateEncoder;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.PageBatchEncoder;
import org.resilire.wire.sbe.PageHashesEncoder;

/**
 * Sends encoded chunks: puts the wire header into the room before the payload and offers both to Aeron in one piece. When Aeron
 * pushes back, the chunk stays and the pipe fills. Runs on the link thread; allocates nothing.
 */
final class EpochSender {

    private final CapturePipe pipe;
    private final FailurePoints failurePoints;
    private final Runnable killGuest;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final PageBatchEncoder pageBatch = new PageBatchEncoder();
    private final DeviceStateEncoder deviceState = new DeviceStateEncoder();
    private final PageHashesEncoder pageHashes = new PageHashesEncoder();
    private final EpochEndEncoder epochEnd = new EpochEndEncoder();
    private final Checksum checksum = new Checksum();
    private final TransferTimes transfers = new TransferTimes();

    private ExclusivePublication publication;
    private long sessionId;
    private CaptureChunk pending;
    private int messageOffset;
    private int messageBytes;

    private int batchCount;
    private long pageCount;
    private long payloadBytes;

    private long firstCheckpoint = Long.MAX_VALUE;
    private long lastSentEpoch = -1;
    private long wireBytesTotal;
    private long backPressured;

    EpochSender(final CapturePipe pipe, final FailurePoints failurePoints, final Runnable killGuest) {
        this.pipe = pipe;
        this.failurePoints = failurePoints;
        this.killGuest = killGuest;
    }

    /** Sends to this session from now on. */
    void open(final ExclusivePublication to, final long session) {
        publication = to;
        sessionId = session;
        firstCheckpoint = Long.MAX_VALUE;
        transfers.reset();
        startEpoch();
    }

    /** Drops chunks instead of sending them from now on. */
    void close() {
        publication = null;
        discardAll();
    }

    /** Sends what it can; returns the number of chunks dealt with. */
    int doWork(final long nowNanos) {
        if (publication == null) {
            return discardAll();
        }
        int sent = 0;
        while (pending != null || (pending = pipe.poll()) != null) {
            if (messageBytes == 0) {
                encodeHeader();
                transfers.onMessage(pending.epoch(), messageBytes, nowNanos);
            }
            final long position = publication.offer(pending.buffer(), messageOffset, messageBytes);
            if (position < 0) {
                return onNotAccepted(position, sent);
            }
            wireBytesTotal += messageBytes;
            sent++;
            onSent();
        }
        return sent;
    }

    private int onNotAccepted(final long reason, final int sent) {
        if (reason == Publication.CLOSED || reason == Publication.MAX_POSITION_EXCEEDED) {
            throw new SessionEndedException(
                    "the stream to the backup closed (" + Publication.errorString(reason) + ")");
        }
        backPressured++;
        if (reason == Publication.BACK_PRESSURED) {
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
        batchCount = 0;
        pageCount = 0;
        payloadBytes = 0;
        checksum.reset();
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
        checksum.add(chunk.memory(), CaptureChunk.HEADER_ROOM_BYTES, chunk.payloadBytes());
        payloadBytes += chunk.payloadBytes();
        switch (chunk.content()) {
            case PAGES -> encodePages(chunk);
            case DEVICE_STATE -> encodeDeviceState(chunk);
            case PAGE_HASHES -> encodePageHashes(chunk);
            case EPOCH_END -> throw new AssertionError();
        }
        batchCount++;
    }

    private UnsafeBuffer placeMessage(final CaptureChunk chunk, final int blockBytes) {
        messageOffset = CaptureChunk.HEADER_ROOM_BYTES - MessageHeaderEncoder.ENCODED_LENGTH - blockBytes;
        messageBytes = MessageHeaderEncoder.ENCODED_LENGTH + blockBytes + chunk.payloadBytes();
        return chunk.buffer();
    }

    private void encodePages(final CaptureChunk chunk) {
        pageCount += chunk.recordCount();
        pageBatch
                .wrapAndApplyHeader(placeMessage(chunk, PageBatchEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batchCount)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .decodedBytes(chunk.decodedBytes())
                .compression(chunk.compression());
    }

    private void encodeDeviceState(final CaptureChunk chunk) {
        deviceState
                .wrapAndApplyHeader(placeMessage(chunk, DeviceStateEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batchCount)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .decodedBytes(chunk.decodedBytes())
                .compression(chunk.compression());
    }

    private void encodePageHashes(final CaptureChunk chunk) {
        pageHashes
                .wrapAndApplyHeader(placeMessage(chunk, PageHashesEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchIndex(batchCount)
                .recordCount(chunk.recordCount())
                .payloadBytes(chunk.payloadBytes())
                .firstPage(chunk.position());
    }

    private void encodeEnd(final CaptureChunk chunk) {
        epochEnd.wrapAndApplyHeader(placeMessage(chunk, EpochEndEncoder.BLOCK_LENGTH), messageOffset, header)
                .sessionId(sessionId)
                .epoch(chunk.epoch())
                .batchCount(batchCount)
                .deviceStateBytes(chunk.position())
                .pageCount(pageCount)
                .payloadBytes(payloadBytes)
                .checksum(checksum.value())
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

    /** What it took to send the latest epochs. */
    TransferTimes transfers() {
        return transfers;
    }

    /** Bytes offered to Aeron so far, with message headers and without those of Aeron and UDP. */
    long wireBytesTotal() {
        return wireBytesTotal;
    }

    /** How often Aeron could not take a chunk at once. */
    long backPressured() {
        return backPressured;
    }
}
