package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;
import org.resilire.codec.BatchCompression;
import org.resilire.codec.BatchDecompressor;
import org.resilire.codec.MalformedBatchException;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageBatchValidator;
import org.resilire.codec.PageRecord;
import org.resilire.disk.InvalidChangeException;
import org.resilire.disk.ReplicaDisks;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.EpochEndDecoder;
import org.resilire.wire.sbe.EpochKind;

/**
 * Collects one epoch and believes it only when it is whole: every batch in order and well-formed, counts, lengths and checksums
 * as the end mark says. Until then nothing of it can be read out, so that no partial epoch reaches a replica. Records of the device
 * state say how it differs from that of the epoch before; a copy of that is kept here and brought up to date when the epoch is
 * whole. Not thread-safe.
 */
public final class EpochAssembler implements AutoCloseable {

    /** No device state of a sane machine is larger. */
    public static final int MAX_DEVICE_STATE_BYTES = 64 << 20;

    private static final int MAX_DEVICE_STATE_PAGES = MAX_DEVICE_STATE_BYTES / PageRecord.PAGE_BYTES;

    /** One that was captured ahead of the pause, and one in it. */
    private static final long MAX_RECORDS_A_PAGE = 2;

    private final long pageCount;
    private final PageBatchValidator pageValidator;
    private final PageBatchValidator deviceValidator = new PageBatchValidator(MAX_DEVICE_STATE_PAGES);
    private final EpochStaging pages;
    private final EpochStaging deviceRecords;
    private final EpochStaging hashes;
    private final BatchDecompressor decompressor = new BatchDecompressor(EpochEncoder.MAX_BATCH_BYTES);
    private final AnonymousMemory deviceState;
    private final PageBatchApplier deviceApplier;
    private final Checksum checksum = new Checksum();
    private final ReplicaDisks disks;

    private long expectedEpoch;
    private EpochKind kind;
    private int batchCount;
    private long recordCount;
    private long payloadBytes;
    private int deviceStateBytes;
    private boolean complete;
    /** False from the first violation on: what was staged by then must not be believed by anybody. */
    private boolean sound;

    /** Of a guest without disks. */
    public EpochAssembler(final long replicaPages) {
        this(replicaPages, ReplicaDisks.none());
    }

    /**
     * Makes an assembler that expects nothing yet.
     *
     * @param replicaPages size of the replica, in pages
     * @param disks stage what epochs bring for them; their owner commits and drops it
     */
    public EpochAssembler(final long replicaPages, final ReplicaDisks disks) {
        this.disks = disks;
        this.pageCount = replicaPages;
        this.pageValidator = new PageBatchValidator(replicaPages);
        // Every page with its header; a sender that repeats pages until this is full is in error.
        this.pages = new EpochStaging("page records", MAX_RECORDS_A_PAGE * replicaPages * PageRecord.MAX_BYTES);
        this.deviceRecords = new EpochStaging("device state", MAX_DEVICE_STATE_PAGES * (long) PageRecord.MAX_BYTES);
        this.hashes = new EpochStaging("page hashes", replicaPages * Long.BYTES);
        this.deviceState = AnonymousMemory.reserve("the staged device state", MAX_DEVICE_STATE_BYTES);
        this.deviceApplier = new PageBatchApplier(deviceState.segment());
    }

    /** Starts over with the first epoch of a session. */
    public void startSession(final long firstEpoch) {
        expectedEpoch = firstEpoch;
        deviceState.discard(0, deviceState.lengthBytes());
        clear();
    }

    /** Drops what is staged and waits for the next epoch. */
    public void next() {
        expectedEpoch++;
        clear();
    }

    private void clear() {
        kind = null;
        batchCount = 0;
        recordCount = 0;
        payloadBytes = 0;
        deviceStateBytes = 0;
        complete = false;
        sound = true;
        pages.clear();
        deviceRecords.clear();
        hashes.clear();
        checksum.reset();
    }

    /** Stages a message of page records; what the parameters are, its schema says. */
    public void onPages(
            final long epoch,
            final int batchIndex,
            final int records,
            final short compression,
            final int decodedBytes,
            final DirectBuffer source,
            final int offset,
            final int length) {
        expect(epoch, batchIndex, length);
        stage(pages, pageValidator, records, compression, decodedBytes, source, offset, length);
        recordCount += records;
        if (recordCount > MAX_RECORDS_A_PAGE * pageCount) {
            // Of records of a few bytes there would be room for hundreds a page, and each costs a whole one to apply.
            throw violation(epoch, recordCount + " records of " + pageCount + " pages");
        }
        sound = true;
    }

    /** Stages a message of records of the device state. */
    public void onDeviceState(
            final long epoch,
            final int batchIndex,
            final int records,
            final short compression,
            final int decodedBytes,
            final DirectBuffer source,
            final int offset,
            final int length) {
        expect(epoch, batchIndex, length);
        stage(deviceRecords, deviceValidator, records, compression, decodedBytes, source, offset, length);
        sound = true;
    }

    private void stage(
            final EpochStaging into,
            final PageBatchValidator validator,
            final int records,
            final short compression,
            final int decodedBytes,
            final DirectBuffer source,
            final int offset,
            final int length) {
        try {
            final long at = decode(into, compression, decodedBytes, source, offset, length);
            validator.validate(into.segment(), at, decodedBytes, records);
        } catch (final MalformedBatchException e) {
            throw violation(expectedEpoch, "batch " + (batchCount - 1) + ": " + e.getMessage());
        }
    }

    /** Appends what a message carries and adds to the checksum what travelled; returns where the records stand. */
    private long decode(
            final EpochStaging into,
            final short compression,
            final int decodedBytes,
            final DirectBuffer source,
            final int offset,
            final int length) {
        if (compression == Compression.NONE.value() && decodedBytes == length) {
            final long at = into.append(source, offset, length);
            checksum.add(into.segment(), at, length);
            return at;
        }
        final BatchCompression known = WireCompression.of(compression);
        if (known == null || known == BatchCompression.NONE) {
            throw violation(
                    expectedEpoch,
                    "a batch of " + length + " bytes, " + decodedBytes + " decoded, with compression " + compression);
        }
        decompressor.decompress(known, source, offset, length, decodedBytes);
        checksum.add(decompressor.receivedSegment(), 0, length);
        return into.append(decompressor.decoded(), 0, decodedBytes);
    }

    /** Stages a message of changes of a disk. */
    public void onDiskChanges(
            final long epoch,
            final int batchIndex,
            final int disk,
            final int changes,
            final DirectBuffer source,
            final int offset,
            final int length) {
        expect(epoch, batchIndex, length);
        try {
            final long at = disks.stage(epoch, disk, changes, source, offset, length);
            checksum.add(disks.staged(disk), at, length);
        } catch (final InvalidChangeException e) {
            throw violation(epoch, "batch " + (batchCount - 1) + ": " + e.getMessage());
        }
        sound = true;
    }

    /** Stages a message of page hashes. */
    public void onPageHashes(
            final long epoch,
            final int batchIndex,
            final int firstPage,
            final DirectBuffer source,
            final int offset,
            final int length) {
        expect(epoch, batchIndex, length);
        if ((long) firstPage * Long.BYTES != hashes.lengthBytes()) {
            throw violation(epoch, "page hashes continue at page " + firstPage);
        }
        checksum.add(hashes.segment(), hashes.append(source, offset, length), length);
        sound = true;
    }

    private void expect(final long epoch, final int batchIndex, final int length) {
        expect(epoch);
        if (batchIndex != batchCount) {
            throw violation(epoch, "batch " + batchIndex + " follows " + batchCount + " batches");
        }
        if (length < 0) {
            throw violation(epoch, "a batch of " + length + " bytes");
        }
        batchCount++;
        payloadBytes += length;
    }

    /** Accepts the end mark if all that it says is staged. */
    public void onEnd(final EpochEndDecoder end) {
        final long epoch = end.epoch();
        expect(epoch);
        if (end.batchCount() != batchCount) {
            throw violation(epoch, batchCount + " batches staged, " + end.batchCount() + " announced");
        }
        if (end.pageCount() != recordCount) {
            throw violation(epoch, recordCount + " pages staged, " + end.pageCount() + " announced");
        }
        if (end.payloadBytes() != payloadBytes) {
            throw violation(epoch, payloadBytes + " bytes staged, " + end.payloadBytes() + " announced");
        }
        if (end.checksum() != checksum.value()) {
            throw violation(epoch, "checksum differs");
        }
        final boolean checkpoint = end.kindRaw() == EpochKind.CHECKPOINT.value();
        if (!checkpoint && end.kindRaw() != EpochKind.SYNCHRONISATION.value()) {
            throw violation(epoch, "unknown kind");
        }
        final boolean hasDeviceState = end.deviceStateBytes() != 0 || deviceRecords.lengthBytes() != 0;
        if (checkpoint != hasDeviceState) {
            throw violation(epoch, "device state does not fit its kind");
        }
        if (hashes.lengthBytes() != 0 && hashes.lengthBytes() != pageCount * Long.BYTES) {
            throw violation(epoch, "page hashes are incomplete");
        }
        completeDeviceState(end.deviceStateBytes(), end.deviceStateChecksum());
        kind = checkpoint ? EpochKind.CHECKPOINT : EpochKind.SYNCHRONISATION;
        complete = true;
        sound = true;
    }

    /** The last check, since it changes the copy; where it fails, the session ends, and the next begins with zeroes. */
    private void completeDeviceState(final int lengthBytes, final long expectedChecksum) {
        if (lengthBytes < 0 || lengthBytes > MAX_DEVICE_STATE_BYTES) {
            throw violation(expectedEpoch, "device state of " + lengthBytes + " bytes");
        }
        final MemorySegment records = deviceRecords.segment();
        final long end = deviceRecords.lengthBytes();
        for (long at = 0; at < end; ) {
            at = deviceApplier.applyOne(records, at);
        }
        final long found = lengthBytes == 0 ? 0 : Checksum.hash(deviceState.segment(), 0, lengthBytes);
        if (found != expectedChecksum) {
            throw violation(expectedEpoch, "the device state is not what the primary's is");
        }
        deviceStateBytes = lengthBytes;
    }

    private void expect(final long epoch) {
        if (complete || epoch != expectedEpoch) {
            throw violation(epoch, "epoch " + expectedEpoch + " was expected");
        }
        if (!sound) {
            throw violation(epoch, "a message before this one was wrong");
        }
        // Until this one was accepted.
        sound = false;
    }

    /** Called only when something is wrong: the texts are not made on the way of good messages. */
    private static ProtocolViolationException violation(final long epoch, final String what) {
        return new ProtocolViolationException("epoch " + epoch + ": " + what);
    }

    public boolean isComplete() {
        return complete;
    }

    private void requireComplete() {
        if (!complete) {
            throw new IllegalStateException("epoch " + expectedEpoch + " is not complete");
        }
    }

    /** The epoch being staged. */
    public long epoch() {
        return expectedEpoch;
    }

    public EpochKind kind() {
        return kind;
    }

    public boolean hasPageHashes() {
        return hashes.lengthBytes() > 0;
    }

    /** Page records of a complete epoch, one after the other, from offset 0. */
    public MemorySegment pageRecords() {
        requireComplete();
        return pages.segment();
    }

    public long pageRecordsBytes() {
        return pages.lengthBytes();
    }

    /** Bytes of all batches of the epoch, as they travelled. */
    public long payloadBytes() {
        return payloadBytes;
    }

    /** The whole device state of a complete epoch. */
    public MemorySegment deviceState() {
        requireComplete();
        return deviceState.segment();
    }

    public int deviceStateBytes() {
        return deviceStateBytes;
    }

    /** The primary's page hashes of a complete epoch, 8 bytes a page, little-endian. */
    public MemorySegment pageHashes() {
        requireComplete();
        return hashes.segment();
    }

    @Override
    public void close() {
        pages.close();
        deviceRecords.close();
        hashes.close();
        decompressor.close();
        deviceState.close();
    }
}
