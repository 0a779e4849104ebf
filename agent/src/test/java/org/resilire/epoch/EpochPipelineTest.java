package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.NoOpIdleStrategy;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.resilire.codec.PageRecord;
import org.resilire.simd.BlockKernels;
import org.resilire.synthetic.Garbage;
import org.resilire.synthetic.SyntheticMemory;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.EpochEndDecoder;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;

/** From a guest's memory to a replica's, without a link: what is captured and encoded here, an assembler and a commit there. */
@Timeout(60)
class EpochPipelineTest {

    private static final int PAGES = 40;
    private static final int EPOCHS = 60;
    private static final int DEVICE_BYTES = 9_000;

    @TempDir
    Path directory;

    private final Random random = new Random(71);
    private final Checksum checksum = new Checksum();
    private final UnsafeBuffer end = new UnsafeBuffer(new byte[EpochEndEncoder.BLOCK_LENGTH]);
    private final EpochEndEncoder endEncoder = new EpochEndEncoder();
    private final EpochEndDecoder endDecoder = new EpochEndDecoder();
    private SyntheticMemory guest;
    private SyntheticMemory replica;
    private EpochAssembler assembler;
    private EpochCommit commit;
    private ModeParts parts;
    private EpochPipeline pipeline;
    private EpochWriter writer;
    private int compressedBatches;
    private int batches;
    private long pages;
    private long payloadBytes;

    @BeforeEach
    void open() {
        guest = SyntheticMemory.ofGuest(directory.resolve("guest"), PAGES);
        replica = SyntheticMemory.ofReplica(directory.resolve("replica"), PAGES);
        assembler = new EpochAssembler(PAGES);
        commit = new EpochCommit(replica.memory());
    }

    private void open(final ReplicationMode mode) {
        open(mode, SystemNanoClock.INSTANCE);
    }

    private void open(final ReplicationMode mode, final NanoClock clock) {
        parts = new ModeParts(mode, guest.bytes(), BlockKernels.preferred());
        pipeline = new EpochPipeline(
                new EpochPipeline.Size(16, 32 << 10, 16),
                NoOpIdleStrategy.INSTANCE,
                parts,
                (kind, encodeNanos, batches, compressed) -> {},
                clock);
        writer = new EpochWriter(pipeline.captured(), parts, false);
        assembler.startSession(1);
    }

    @AfterEach
    void close() {
        if (pipeline != null) {
            pipeline.close();
            parts.close();
        }
        commit.close();
        assembler.close();
        replica.close();
        guest.close();
    }

    /** What a guest does: scribbles, zeroes, fills, and copies of what is elsewhere. */
    private void scribble() {
        for (int writes = random.nextInt(12); writes > 0; writes--) {
            final int page = random.nextInt(PAGES);
            switch (random.nextInt(8)) {
                case 0 -> guest.fillPage(page, (byte) 0);
                case 1 -> guest.fillPage(page, (byte) random.nextInt());
                case 2 -> copy(random.nextInt(PAGES), page, PageRecord.PAGE_BYTES, 0);
                case 3, 4 -> {
                    final int block = random.nextInt(PageRecord.PAGE_BYTES / PageRecord.BLOCK_BYTES);
                    copy(random.nextInt(PAGES), page, PageRecord.BLOCK_BYTES, (long) block * PageRecord.BLOCK_BYTES);
                }
                default -> guest.scribble(random, page);
            }
        }
    }

    private void copy(final int fromPage, final int toPage, final long lengthBytes, final long at) {
        MemorySegment.copy(
                guest.bytes(),
                (long) fromPage * PageRecord.PAGE_BYTES,
                guest.bytes(),
                (long) toPage * PageRecord.PAGE_BYTES + at,
                lengthBytes);
    }

    private void capture(final long epoch, final int deviceBytes) {
        writer.begin(epoch, EpochKind.CHECKPOINT);
        writer.capture(0, PAGES);
        writer.captureDeviceState(deviceBytes);
        writer.end();
    }

    private void encode() {
        while (!pipeline.isEncoded()) {
            pipeline.encoder().doWork();
        }
    }

    private void deliver() {
        for (CaptureChunk chunk = pipeline.encoded().poll();
                chunk != null;
                chunk = pipeline.encoded().poll()) {
            deliver(chunk);
            pipeline.encoded().recycle(chunk);
        }
    }

    private void deliver(final CaptureChunk chunk) {
        compressedBatches += chunk.compression() == Compression.NONE ? 0 : 1;
        if (chunk.content() == CaptureChunk.Content.EPOCH_END) {
            endEncoder
                    .wrap(end, 0)
                    .epoch(chunk.epoch())
                    .batchCount(batches)
                    .deviceStateBytes(chunk.position())
                    .pageCount(pages)
                    .payloadBytes(payloadBytes)
                    .checksum(checksum.value())
                    .deviceStateChecksum(chunk.deviceStateChecksum())
                    .kind(chunk.kind());
            assembler.onEnd(endDecoder.wrap(end, 0, EpochEndDecoder.BLOCK_LENGTH, EpochEndDecoder.SCHEMA_VERSION));
            commit.begin(assembler);
            assertTrue(commit.applySlice(() -> 0, 1));
            assembler.next();
            startCounting();
            return;
        }
        final int room = CaptureChunk.HEADER_ROOM_BYTES;
        final int length = chunk.payloadBytes();
        checksum.add(chunk.memory(), room, length);
        final short compression = chunk.compression().value();
        if (chunk.content() == CaptureChunk.Content.PAGES) {
            assembler.onPages(
                    chunk.epoch(),
                    batches,
                    chunk.recordCount(),
                    compression,
                    chunk.decodedBytes(),
                    chunk.buffer(),
                    room,
                    length);
            pages += chunk.recordCount();
        } else {
            assembler.onDeviceState(
                    chunk.epoch(),
                    batches,
                    chunk.recordCount(),
                    compression,
                    chunk.decodedBytes(),
                    chunk.buffer(),
                    room,
                    length);
        }
        batches++;
        payloadBytes += length;
    }

    private void startCounting() {
        checksum.reset();
        batches = 0;
        pages = 0;
        payloadBytes = 0;
    }

    private void scribbleDeviceState(final int lengthBytes) {
        for (int writes = random.nextInt(20); writes > 0; writes--) {
            writer.deviceState().set(ValueLayout.JAVA_BYTE, random.nextInt(lengthBytes), (byte) random.nextInt());
        }
    }

    private void assertReplicaIsTheGuest(final int deviceBytes) {
        assertArrayEquals(guest.snapshot(), replica.snapshot());
        assertEquals(deviceBytes, commit.deviceStateBytes());
        assertEquals(
                -1,
                writer.deviceState()
                        .asSlice(0, deviceBytes)
                        .mismatch(commit.deviceState().asSlice(0, deviceBytes)));
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldKeepTheReplicaEqualInEveryMode(final ReplicationMode mode) {
        open(mode);
        for (long epoch = 1; epoch <= EPOCHS; epoch++) {
            scribble();
            final int deviceBytes = DEVICE_BYTES - random.nextInt(100) * (int) (epoch % 3);
            scribbleDeviceState(deviceBytes);
            capture(epoch, deviceBytes);
            encode();
            deliver();
            assertReplicaIsTheGuest(deviceBytes);
        }
    }

    /** The guest runs on while the encoder works; what it wrote is in the next epoch. */
    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldNotMindAGuestThatWritesWhileTheEncoderWorks(final ReplicationMode mode) {
        open(mode);
        for (long epoch = 1; epoch <= EPOCHS; epoch++) {
            scribble();
            scribbleDeviceState(DEVICE_BYTES);
            final byte[] then = guest.snapshot();
            capture(epoch, DEVICE_BYTES);
            while (!pipeline.isEncoded()) {
                guest.scribble(random, random.nextInt(PAGES));
                pipeline.encoder().doWork();
            }
            deliver();
            assertArrayEquals(then, replica.snapshot());
        }
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldBeginASessionWithNothingOfTheOneBefore(final ReplicationMode mode) {
        open(mode);
        final AgentRunner encoder =
                new AgentRunner(new SleepingIdleStrategy(10_000), failure -> {}, null, pipeline.encoder());
        AgentRunner.startOnThread(encoder);
        try {
            for (int session = 0; session < 20; session++) {
                scribble();
                scribbleDeviceState(DEVICE_BYTES);
                final int epochs = 1 + random.nextInt(3);
                for (long epoch = 1; epoch <= epochs; epoch++) {
                    scribble();
                    capture(epoch, DEVICE_BYTES);
                    while (!pipeline.isEncoded()) {
                        deliver();
                    }
                }
                deliver();
                assertReplicaIsTheGuest(DEVICE_BYTES);
                abortSomewhere(epochs + 1);
                startOver();
            }
        } finally {
            encoder.close();
        }
        assertNull(pipeline.failure());
    }

    private void abortSomewhere(final long epoch) {
        scribble();
        writer.begin(epoch, EpochKind.CHECKPOINT);
        writer.capture(0, PAGES / 2);
        if (random.nextBoolean()) {
            pipeline.abort();
            if (random.nextBoolean()) {
                assertThrows(CaptureAbortedException.class, () -> {
                    for (int i = 0; i < 10 * PAGES; i++) {
                        writer.pageHashes(new PageHasher(guest.memory()));
                    }
                });
            }
        }
        writer.abandon();
    }

    /** As the checkpoint thread and a link without a session do it. */
    private void startOver() {
        pipeline.restart();
        for (CaptureChunk chunk = pipeline.encoded().poll();
                chunk != null;
                chunk = pipeline.encoded().poll()) {
            pipeline.encoded().recycle(chunk);
        }
        startCounting();
        writer.reset();
        replica.memory().zero();
        assembler.startSession(1);
        commit.reset();
    }

    @Test
    void shouldCompressOnceTheLinkIsWhatEverybodyWaitsFor() {
        final long[] nowNanos = {1};
        open(ReplicationMode.fgbi(), () -> nowNanos[0]);
        fillAndDeliver(1, 20, nowNanos);
        assertEquals(0, compressedBatches);
        pipeline.onLink(1 << 20, 1_000_000_000L, true);
        fillAndDeliver(21, 20, nowNanos);
        assertTrue(compressedBatches > 10, () -> compressedBatches + " batches compressed");
    }

    private void fillAndDeliver(final long firstEpoch, final int epochs, final long[] nowNanos) {
        for (long epoch = firstEpoch; epoch < firstEpoch + epochs; epoch++) {
            nowNanos[0] += 200_000_000L;
            for (int page = 0; page < PAGES; page++) {
                guest.fillPage(page, (byte) random.nextInt());
                // Or all but the first would be references.
                guest.scribble(random, page);
            }
            capture(epoch, DEVICE_BYTES);
            encode();
            deliver();
            assertReplicaIsTheGuest(DEVICE_BYTES);
        }
    }

    @Test
    void shouldNotBeginASessionWhileSomethingIsStillToBeEncoded() {
        open(ReplicationMode.fgbi());
        guest.fillPage(1, (byte) 3);
        capture(1, DEVICE_BYTES);
        assertFalse(pipeline.isEncoded());
        assertThrows(IllegalStateException.class, writer::reset);
        encode();
        writer.reset();
    }

    @Test
    void shouldTellThatAnEpochIsEncodedOnceThatCanBeSeen() {
        open(ReplicationMode.fgbi());
        pipeline.close();
        final List<Boolean> seen = new ArrayList<>();
        pipeline = new EpochPipeline(
                new EpochPipeline.Size(16, 32 << 10, 16),
                NoOpIdleStrategy.INSTANCE,
                parts,
                new EpochEncoder.Listener() {
                    @Override
                    public void onEpochEncoded(
                            final EpochKind kind, final long encodeNanos, final int messages, final int compressed) {
                        assertFalse(pipeline.isEncoded());
                    }

                    @Override
                    public void afterEncoded() {
                        seen.add(pipeline.isEncoded());
                    }
                },
                SystemNanoClock.INSTANCE);
        writer = new EpochWriter(pipeline.captured(), parts, false);
        guest.fillPage(1, (byte) 3);
        capture(1, DEVICE_BYTES);
        encode();
        assertEquals(List.of(true), seen);
    }

    @Test
    void shouldEndTheSessionWhenEncodingFails() {
        open(ReplicationMode.fgbi());
        guest.fillPage(1, (byte) 3);
        capture(1, DEVICE_BYTES);
        // What the encoder works on is gone: nothing can be encoded any more.
        parts.close();
        pipeline.encoder().doWork();
        assertNotNull(pipeline.failure());
        encode();
        assertNull(pipeline.encoded().poll(), "an epoch that was not encoded ends nowhere");
        pipeline.close();
        pipeline = null;
    }

    @Test
    void shouldWaitForASlowSenderInsteadOfDropping() {
        open(ReplicationMode.remus());
        for (int page = 0; page < PAGES; page++) {
            guest.fillPage(page, (byte) (page + 1));
        }
        pipeline.close();
        pipeline = new EpochPipeline(
                new EpochPipeline.Size(16, 32 << 10, 2),
                NoOpIdleStrategy.INSTANCE,
                parts,
                (kind, encodeNanos, batches, compressed) -> {},
                SystemNanoClock.INSTANCE);
        writer = new EpochWriter(pipeline.captured(), parts, false);
        capture(1, DEVICE_BYTES);
        for (int i = 0; i < 100; i++) {
            pipeline.encoder().doWork();
        }
        assertFalse(pipeline.isEncoded());
        while (!pipeline.isEncoded()) {
            deliver();
            pipeline.encoder().doWork();
        }
        deliver();
        assertReplicaIsTheGuest(DEVICE_BYTES);
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldTakeAllPagesOfWhichSomeWereCapturedAheadInTheSameEpoch(final ReplicationMode mode) {
        open(mode);
        for (long epoch = 1; epoch <= EPOCHS; epoch++) {
            fillWithNoise();
            writer.begin(epoch, EpochKind.CHECKPOINT);
            writer.capture(0, PAGES);
            writer.flush();
            encode();
            // Back to what it was, too: the encoder must have noted what was sent in between.
            scribble();
            fillWithNoise();
            writer.capture(0, PAGES);
            writer.captureDeviceState(DEVICE_BYTES);
            writer.end();
            encode();
            deliver();
            assertReplicaIsTheGuest(DEVICE_BYTES);
        }
    }

    /** Nothing of it can be made shorter. */
    private void fillWithNoise() {
        for (long at = 0; at < guest.bytes().byteSize(); at += Long.BYTES) {
            guest.bytes().set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    @ParameterizedTest
    @MethodSource("org.resilire.epoch.Modes#all")
    void shouldAllocateNothingInSteadyStateOfAnyMode(final ReplicationMode mode) {
        open(mode);
        BlockKernels.preferred().warmUp();
        for (int i = 0; i < 3 * PAGES; i++) {
            scribble();
        }
        final long[] epoch = {run(1, 2_000)};
        Garbage.assertBelow(
                16 << 10, "1,000 epochs captured, encoded and applied", () -> epoch[0] = run(epoch[0], 1_000));
        assertReplicaIsTheGuest(DEVICE_BYTES);
    }

    private long run(final long firstEpoch, final int epochs) {
        for (long epoch = firstEpoch; epoch < firstEpoch + epochs; epoch++) {
            guest.bytes().set(ValueLayout.JAVA_LONG, epoch % PAGES * PageRecord.PAGE_BYTES, epoch);
            guest.bytes().set(ValueLayout.JAVA_LONG, epoch * 7 % PAGES * PageRecord.PAGE_BYTES + 640, epoch);
            copy((int) (epoch * 3 % PAGES), (int) (epoch * 11 % PAGES), PageRecord.PAGE_BYTES, 0);
            writer.deviceState().set(ValueLayout.JAVA_LONG, 800, epoch);
            capture(epoch, DEVICE_BYTES);
            encode();
            deliver();
        }
        return firstEpoch + epochs;
    }
}
