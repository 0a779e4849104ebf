package org.resilire.benchmarks.replica;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.PageOrder;
import org.resilire.benchmarks.Place;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.guest.SharedGuest;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageBatchValidator;
import org.resilire.codec.PageRecord;
import org.resilire.epoch.EpochAssembler;
import org.resilire.linux.AnonymousMemory;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.Compression;

/**
 * What the backup does with a batch of literal records, step by step, against {@code memcpy} of the same bytes to the same pages.
 * Times are those of one page of the batch.
 */
public class ApplyBenchmark extends Settings {

    private static final int PAGES = PageOrder.BATCH_PAGES;
    private static final int EPOCH = 1;

    @Param
    Place place;

    /** Of the 64 blocks of each page, at random places. */
    @Param({"1", "22"})
    int changed;

    private final Arena arena = Arena.ofShared();
    private final Checksum checksum = new Checksum();
    private SharedGuest replica;
    private AnonymousMemory records;
    private PageOrder order;
    private int recordBytes;
    private PageBatchValidator validator;
    private PageBatchApplier applier;
    private EpochAssembler assembler;
    private UnsafeBuffer message;

    @Setup
    public void setUp() {
        final SplittableRandom random = new SplittableRandom(7);
        replica = SharedGuest.create(place.pages());
        order = new PageOrder(arena, place.pages(), random);
        recordBytes = PageRecord.HEADER_BYTES + changed * PageRecord.BLOCK_BYTES;
        records = AnonymousMemory.reserve("records", (long) place.pages() * recordBytes);
        for (int i = 0; i < place.pages(); i++) {
            final long at = (long) i * recordBytes;
            final long pageOffset = order.pageOffset(0, i);
            PageRecord.putHeader(
                    records.segment(),
                    at,
                    pageOffset / PageRecord.PAGE_BYTES,
                    PageRecord.BLOCKS,
                    SharedGuest.mask(random, changed));
            MemorySegment.copy(
                    replica.bytes(),
                    pageOffset,
                    records.segment(),
                    at + PageRecord.HEADER_BYTES,
                    recordBytes - PageRecord.HEADER_BYTES);
        }
        validator = new PageBatchValidator(place.pages());
        applier = new PageBatchApplier(replica.memory().segment());
        assembler = new EpochAssembler(place.pages());
        // SAFETY: the records live until tearDown().
        message = new UnsafeBuffer(
                records.segment().address(), (int) records.segment().byteSize());
    }

    @TearDown
    public void tearDown() {
        assembler.close();
        replica.close();
        records.close();
        arena.close();
    }

    private long nextRecords() {
        return order.nextBatch() / Long.BYTES * recordBytes;
    }

    /** The bound: the changed bytes of each page, copied in one piece. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void memcpy() {
        final long batch = order.nextBatch();
        final long first = batch / Long.BYTES * recordBytes;
        for (int i = 0; i < PAGES; i++) {
            LibC.memcpy(
                    replica.memory().segment(),
                    order.pageOffset(batch, i),
                    records.segment(),
                    first + (long) i * recordBytes + PageRecord.HEADER_BYTES,
                    recordBytes - PageRecord.HEADER_BYTES);
        }
    }

    /** The checksum over the batch. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public long checksum() {
        checksum.add(records.segment(), nextRecords(), (long) PAGES * recordBytes);
        return checksum.value();
    }

    /** Checking that the batch is well-formed. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public void validate() {
        validator.validate(records.segment(), nextRecords(), (long) PAGES * recordBytes, PAGES);
    }

    /** All that happens when a batch arrives: copied, checked, summed. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public void stage() {
        assembler.startSession(EPOCH);
        final int lengthBytes = PAGES * recordBytes;
        assembler.onPages(
                EPOCH, 0, PAGES, Compression.NONE.value(), lengthBytes, message, (int) nextRecords(), lengthBytes);
    }

    /** Writing the records into the replica. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Against("memcpy")
    public long apply() {
        long at = nextRecords();
        for (int i = 0; i < PAGES; i++) {
            at = applier.applyOne(records.segment(), at);
        }
        return at;
    }
}
