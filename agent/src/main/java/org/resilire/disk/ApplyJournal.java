package org.resilire.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.AnonymousMemory;
import org.resilire.linux.LinuxException;
import org.resilire.wire.Checksum;

/**
 * Applies committed epochs to the backup's disk so that, whenever this process or this host ends, the disk can be brought to the state
 * after a whole epoch. An epoch is first written here and made durable, then applied, then the disk is made durable; a
 * journal that is found pending and whole is applied again, which changes nothing that was applied already. One that is not whole
 * was never begun to be applied.
 *
 * <pre>
 *   0        8          16       24       32               40              48        4096
 *   ┌────────┬──────────┬────────┬────────┬────────────────┬───────────────┬─────────┬──────────────┐
 *   │ magic  │ version  │ state  │ epoch  │ records' bytes │ records' sum  │ own sum │ records ...  │
 *   └────────┴──────────┴────────┴────────┴────────────────┴───────────────┴─────────┴──────────────┘
 * </pre>
 *
 * <p>The header lies in one sector and carries its own checksum, so that it need not reach the disk before or after the records: one
 * sync for both. Overwriting the records of an epoch that was applied needs none either, since the disk was made durable before.
 *
 * <p>A failure of the disk or of the journal's file (full, broken) leaves the disk in between: {@link #isBroken()}. It must not be
 * used until {@link #recover} has succeeded. One thread.
 */
public final class ApplyJournal implements AutoCloseable {

    private static final long MAGIC = 0x5245534a4f55524eL;
    private static final long VERSION = 1;
    private static final long PENDING = 1;
    private static final long APPLIED = 2;

    private static final int VERSION_OFFSET = 8;
    private static final int STATE_OFFSET = 16;
    private static final int EPOCH_OFFSET = 24;
    private static final int LENGTH_OFFSET = 32;
    private static final int SUM_OFFSET = 40;
    private static final int HEADER_SUM_OFFSET = 48;
    private static final int HEADER_BYTES = 512;
    private static final int RECORDS_OFFSET = 4096;

    /** Written at once. */
    private static final long PIECE_BYTES = 1 << 20;

    /** Hears of ranges that do not hold what the primary's disk holds, on the thread that commits. */
    @FunctionalInterface
    public interface DifferenceListener {
        void onDifference(long diskOffset, long lengthBytes);
    }

    private final Storage journal;
    private final Storage disk;
    private final DifferenceListener differences;
    private final AnonymousMemory compared =
            AnonymousMemory.reserve("a range to compare", EpochWriteBuffer.MAX_COMPARED_BYTES);
    private final AnonymousMemory header = AnonymousMemory.reserve("a journal's header", RECORDS_OFFSET);
    private long appliedEpoch = -1;
    private boolean isBroken = true;

    /** {@link #recover} comes before anything else. */
    public ApplyJournal(final Storage journal, final Storage disk) {
        this(journal, disk, (diskOffset, lengthBytes) -> {});
    }

    /** The same, with somebody who wants to know what differs. */
    public ApplyJournal(final Storage journal, final Storage disk, final DifferenceListener differences) {
        this.journal = journal;
        this.disk = disk;
        this.differences = differences;
    }

    /**
     * Finishes what the last process left unfinished.
     *
     * @return true if there was something to finish
     */
    public boolean recover() {
        isBroken = true;
        appliedEpoch = -1;
        final boolean isFinished = isHeaderSound() && state() == PENDING && applyPending();
        if (!isFinished && isHeaderSound() && state() == APPLIED) {
            appliedEpoch = header.segment().get(JAVA_LONG, EPOCH_OFFSET);
        }
        isBroken = false;
        return isFinished;
    }

    private boolean isHeaderSound() {
        final MemorySegment segment = header.segment();
        if (journal.lengthBytes() < HEADER_BYTES) {
            return false;
        }
        journal.read(segment, 0, HEADER_BYTES, 0);
        return segment.get(JAVA_LONG, 0) == MAGIC
                && segment.get(JAVA_LONG, VERSION_OFFSET) == VERSION
                && segment.get(JAVA_LONG, HEADER_SUM_OFFSET) == Checksum.hash(segment, 0, HEADER_SUM_OFFSET);
    }

    private long state() {
        return header.segment().get(JAVA_LONG, STATE_OFFSET);
    }

    private boolean applyPending() {
        final long recordsBytes = header.segment().get(JAVA_LONG, LENGTH_OFFSET);
        final long epoch = header.segment().get(JAVA_LONG, EPOCH_OFFSET);
        final long sum = header.segment().get(JAVA_LONG, SUM_OFFSET);
        if (recordsBytes < 0 || recordsBytes > journal.lengthBytes() - RECORDS_OFFSET) {
            return false;
        }
        if (recordsBytes > 0) {
            try (AnonymousMemory records = AnonymousMemory.reserve("a journal's records", recordsBytes)) {
                journal.read(records.segment(), 0, recordsBytes, RECORDS_OFFSET);
                if (Checksum.hash(records.segment(), 0, recordsBytes) != sum) {
                    return false;
                }
                apply(records.segment(), recordsBytes);
            }
            disk.sync();
        }
        finish(epoch);
        return true;
    }

    /**
     * Applies what has committed in a buffer, and nothing else of it.
     *
     * @throws LinuxException if the disk or the journal's file fails; then {@link #isBroken()}
     */
    public void commit(final EpochWriteBuffer epochWrites) {
        if (isBroken) {
            throw new IllegalStateException("the disk is between two epochs; recover first");
        }
        final long epoch = epochWrites.epoch();
        final long recordsBytes = epochWrites.committedBytes();
        if (recordsBytes == 0) {
            appliedEpoch = epoch;
            return;
        }
        isBroken = true;
        writePieces(epochWrites.records(), recordsBytes);
        writeHeader(PENDING, epoch, recordsBytes, epochWrites.checksum());
        journal.sync();
        apply(epochWrites.records(), recordsBytes);
        disk.sync();
        finish(epoch);
        isBroken = false;
    }

    private void writePieces(final MemorySegment records, final long recordsBytes) {
        for (long done = 0; done < recordsBytes; done += PIECE_BYTES) {
            journal.write(records, done, Math.min(PIECE_BYTES, recordsBytes - done), RECORDS_OFFSET + done);
        }
    }

    private void apply(final MemorySegment records, final long recordsBytes) {
        for (long at = 0; at < recordsBytes; ) {
            final long diskOffset = WriteRecord.diskOffset(records, at);
            final long lengthBytes = WriteRecord.lengthBytes(records, at);
            switch (WriteRecord.change(records, at)) {
                case WRITE -> disk.write(records, at + WriteRecord.HEADER_BYTES, lengthBytes, diskOffset);
                case ZERO -> disk.zero(diskOffset, lengthBytes, true);
                case DISCARD -> disk.zero(diskOffset, lengthBytes, false);
                case COMPARE -> compare(records, at, diskOffset, lengthBytes);
            }
            at += WriteRecord.recordBytes(WriteRecord.dataBytes(records, at));
        }
    }

    private void compare(final MemorySegment records, final long at, final long diskOffset, final long lengthBytes) {
        disk.read(compared.segment(), 0, lengthBytes, diskOffset);
        final long expected = records.get(JAVA_LONG, at + WriteRecord.HEADER_BYTES);
        if (Checksum.hash(compared.segment(), 0, lengthBytes) != expected) {
            differences.onDifference(diskOffset, lengthBytes);
        }
    }

    /** Not made durable: to apply the epoch once more does no harm, as long as nothing later was. */
    private void finish(final long epoch) {
        writeHeader(APPLIED, epoch, 0, 0);
        appliedEpoch = epoch;
    }

    private void writeHeader(final long state, final long epoch, final long recordsBytes, final long sum) {
        final MemorySegment segment = header.segment();
        segment.set(JAVA_LONG, 0, MAGIC);
        segment.set(JAVA_LONG, VERSION_OFFSET, VERSION);
        segment.set(JAVA_LONG, STATE_OFFSET, state);
        segment.set(JAVA_LONG, EPOCH_OFFSET, epoch);
        segment.set(JAVA_LONG, LENGTH_OFFSET, recordsBytes);
        segment.set(JAVA_LONG, SUM_OFFSET, sum);
        segment.set(JAVA_LONG, HEADER_SUM_OFFSET, Checksum.hash(segment, 0, HEADER_SUM_OFFSET));
        journal.write(segment, 0, HEADER_BYTES, 0);
    }

    /**
     * Before anybody else writes to the disk, as a guest does that takes over: makes durable that there is nothing to finish, so that
     * a later {@link #recover} does not put old data over new.
     */
    public void release() {
        if (isBroken) {
            throw new IllegalStateException("the disk is between two epochs; recover first");
        }
        writeHeader(APPLIED, appliedEpoch, 0, 0);
        journal.sync();
    }

    /** The epoch after which the disk stands; -1 if that cannot be told, and then only a full comparison can. */
    public long appliedEpoch() {
        return appliedEpoch;
    }

    /** Whether the disk may stand between two epochs. */
    public boolean isBroken() {
        return isBroken;
    }

    @Override
    public void close() {
        header.close();
        compared.close();
    }
}
