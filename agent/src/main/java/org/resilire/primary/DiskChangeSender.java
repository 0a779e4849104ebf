package org.resilire.primary;

import io.aeron.ExclusivePublication;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.disk.ChangeMessage;
import org.resilire.disk.EpochWriteLog;
import org.resilire.disk.PrimaryDisk;
import org.resilire.wire.sbe.DiskChangesEncoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;

/**
 * Sends what the logs of the disks hold, as messages of the epoch that is being sent: changes of that epoch and of earlier ones, those
 * of later ones wait. Runs on the link thread; allocates nothing and waits for nobody.
 */
final class DiskChangeSender implements AutoCloseable {

    private static final int PAYLOAD_BYTES = 128 << 10;

    /** Changes stand aligned behind it. */
    private static final int HEADER_ROOM_BYTES = 64;

    private static final int HEADER_BYTES = MessageHeaderEncoder.ENCODED_LENGTH + DiskChangesEncoder.BLOCK_LENGTH;

    private final String[] names;
    private final EpochWriteLog[] logs;
    private final ChangeMessage message = new ChangeMessage(HEADER_ROOM_BYTES, PAYLOAD_BYTES);
    private final UnsafeBuffer buffer;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final DiskChangesEncoder changes = new DiskChangesEncoder();

    private ExclusivePublication publication;
    private long sessionId;
    private long epoch;
    private int nextDisk;
    private int messageBytes;
    private long backPressure;
    private long payloadBytesTotal;

    DiskChangeSender(final PrimaryDisk[] disks) {
        names = new String[disks.length];
        logs = new EpochWriteLog[disks.length];
        for (int i = 0; i < disks.length; i++) {
            names[i] = disks[i].name();
            logs[i] = disks[i].log();
        }
        // SAFETY: the message's memory lives until close().
        buffer = new UnsafeBuffer(message.memory().address(), HEADER_ROOM_BYTES + PAYLOAD_BYTES);
    }

    void open(final ExclusivePublication to, final long session, final long firstEpoch) {
        publication = to;
        sessionId = session;
        epoch = firstEpoch;
        messageBytes = 0;
        message.forgetPart();
    }

    /** Nobody takes changes any more: the guest must not wait for that. */
    void close(final boolean wasOpen) {
        publication = null;
        messageBytes = 0;
        if (wasOpen) {
            for (final EpochWriteLog log : logs) {
                log.stop();
            }
        }
    }

    /** The epoch that was being sent has ended. */
    void beginEpoch(final long newEpoch) {
        epoch = newEpoch;
    }

    /**
     * Sends what there is, so many messages at most.
     *
     * @return how many, or -1 if the publication did not take one, which is offered again
     * @throws SessionEndedException if a change of a disk cannot be told
     */
    int send(final EpochTotals totals, final int limit) {
        int sent = 0;
        while (sent < limit && (messageBytes > 0 || prepare(totals))) {
            final long position = publication.offer(buffer, HEADER_ROOM_BYTES - HEADER_BYTES, messageBytes);
            if (position < 0) {
                backPressure = position;
                return -1;
            }
            messageBytes = 0;
            sent++;
        }
        return sent;
    }

    /** Why the last {@link #send} returned -1. */
    long backPressure() {
        return backPressure;
    }

    /** Payloads so far. */
    long payloadBytesTotal() {
        return payloadBytesTotal;
    }

    private boolean prepare(final EpochTotals totals) {
        for (int i = 0; i < logs.length; i++) {
            final int disk = nextDisk;
            nextDisk = nextDisk + 1 == logs.length ? 0 : nextDisk + 1;
            if (logs[disk].isBroken()) {
                throw new SessionEndedException("a change of disk " + names[disk]
                        + " failed half-way; what it holds there must be copied again");
            }
            message.begin(epoch);
            logs[disk].poll(message, Integer.MAX_VALUE);
            if (message.payloadBytes() > 0) {
                encode(disk, totals);
                return true;
            }
        }
        return false;
    }

    private void encode(final int disk, final EpochTotals totals) {
        final MemorySegment memory = message.memory();
        final int payloadBytes = message.payloadBytes();
        changes.wrapAndApplyHeader(buffer, HEADER_ROOM_BYTES - HEADER_BYTES, header)
                .sessionId(sessionId)
                .epoch(epoch)
                .batchIndex(totals.add(memory, HEADER_ROOM_BYTES, payloadBytes))
                .recordCount(message.changes())
                .payloadBytes(payloadBytes)
                .diskIndex(disk);
        messageBytes = HEADER_BYTES + payloadBytes;
        payloadBytesTotal += payloadBytes;
    }

    @Override
    public void close() {
        message.close();
    }
}
