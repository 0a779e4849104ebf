package org.resilire.backup;

import io.aeron.ExclusivePublication;
import java.nio.charset.StandardCharsets;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.resilire.wire.sbe.BackupHeartbeatEncoder;
import org.resilire.wire.sbe.DiskDifferencesEncoder;
import org.resilire.wire.sbe.EpochAckEncoder;
import org.resilire.wire.sbe.InputAckEncoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.NoticeReceivedEncoder;
import org.resilire.wire.sbe.RefusalEncoder;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverAnswerEncoder;
import org.resilire.wire.sbe.SwitchoverStage;
import org.resilire.wire.sbe.VerifyReportEncoder;
import org.resilire.wire.sbe.WelcomeEncoder;

/**
 * Encodes and sends what a backup says. Each method returns false if Aeron could not take the message now; whoever must not lose
 * it tries again. Link thread only; acknowledgements and heartbeats allocate nothing.
 */
final class ReplySender implements AutoCloseable {

    private static final int MAX_TEXT_BYTES = 4096;

    private final Transport transport;
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[2 * MAX_TEXT_BYTES]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final EpochAckEncoder ack = new EpochAckEncoder();
    private final DiskDifferencesEncoder differences = new DiskDifferencesEncoder();
    private final InputAckEncoder inputAck = new InputAckEncoder();
    private final BackupHeartbeatEncoder heartbeat = new BackupHeartbeatEncoder();
    private Endpoint endpoint;
    private ExclusivePublication publication;

    ReplySender(final Transport transport) {
        this.transport = transport;
    }

    /** Talks to this endpoint from now on. */
    void connect(final Endpoint to) {
        if (!to.equals(endpoint)) {
            close();
            publication = transport.connect(to, Streams.REPLY);
            endpoint = to;
        }
    }

    boolean welcome(
            final long sessionId,
            final long generation,
            final long takeoverLimitNanos,
            final long inputWindowBytes,
            final String disks) {
        final WelcomeEncoder message = new WelcomeEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation)
                .takeoverLimitMicros(takeoverLimitNanos / 1000)
                .inputWindowBytes(inputWindowBytes)
                .disks(disks);
        return send(message.encodedLength());
    }

    boolean refuse(final long sessionId, final long generation, final RefusalReason reason, final String text) {
        final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        final RefusalEncoder message = new RefusalEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation)
                .reason(reason)
                .putText(bytes, 0, Math.min(bytes.length, MAX_TEXT_BYTES));
        return send(message.encodedLength());
    }

    boolean acknowledge(final long sessionId, final long epoch, final long nowNanos) {
        ack.wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch)
                .backupNanos(stamp(nowNanos));
        return send(EpochAckEncoder.BLOCK_LENGTH);
    }

    boolean acknowledgeInput(final long sessionId, final long position) {
        inputAck.wrapAndApplyHeader(buffer, 0, header).sessionId(sessionId).position(position);
        return send(InputAckEncoder.BLOCK_LENGTH);
    }

    boolean beat(final long sessionId, final long generation, final long nowNanos, final long appliedDiskEpoch) {
        heartbeat
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation)
                .backupNanos(stamp(nowNanos))
                .appliedDiskEpoch(appliedDiskEpoch);
        return send(BackupHeartbeatEncoder.BLOCK_LENGTH);
    }

    /** 0 is what a primary echoes that has heard nothing yet. */
    private static long stamp(final long nowNanos) {
        return nowNanos == 0 ? -1 : nowNanos;
    }

    boolean noticeReceived(final long sessionId) {
        new NoticeReceivedEncoder().wrapAndApplyHeader(buffer, 0, header).sessionId(sessionId);
        return send(NoticeReceivedEncoder.BLOCK_LENGTH);
    }

    boolean switchover(
            final long sessionId,
            final long generation,
            final long epoch,
            final SwitchoverStage stage,
            final String text) {
        final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        final SwitchoverAnswerEncoder message = new SwitchoverAnswerEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation)
                .epoch(epoch)
                .stage(stage)
                .putText(bytes, 0, Math.min(bytes.length, MAX_TEXT_BYTES));
        return send(message.encodedLength());
    }

    boolean report(final long sessionId, final ReplicaVerification result) {
        final VerifyReportEncoder message = new VerifyReportEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(result.epoch())
                .comparedPages(result.comparedPages())
                .differingPages(result.differingPages());
        final int named = (int) Math.min(result.differingPages(), ReplicaVerification.NAMED_PAGES);
        final VerifyReportEncoder.FirstDifferingEncoder pages = message.firstDifferingCount(named);
        for (int i = 0; i < named; i++) {
            pages.next().pageIndex(result.differingPage(i));
        }
        return send(message.encodedLength());
    }

    /** Blocks of a disk that are not as the primary's are; so many of them as the message takes. */
    boolean differences(final long sessionId, final ReplicaDisks disks, final int disk, final int count) {
        final DiskDifferencesEncoder message = differences
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .diskIndex(disk);
        final DiskDifferencesEncoder.RangesEncoder ranges = message.rangesCount(count);
        for (int i = 0; i < count; i++) {
            ranges.next().diskOffset(disks.differingOffset(disk, i));
        }
        return send(message.encodedLength());
    }

    private boolean send(final int bodyBytes) {
        return publication != null && publication.offer(buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + bodyBytes) > 0;
    }

    @Override
    public void close() {
        CloseHelper.quietClose(publication);
        publication = null;
        endpoint = null;
    }
}
