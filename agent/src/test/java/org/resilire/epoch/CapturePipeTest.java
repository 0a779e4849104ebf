package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageRecord;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.fgbi.WholePageIdentifier;
import org.resilire.guest.PageRuns;
import org.resilire.simd.ScalarBlockKernels;
import org.resilire.synthetic.Garbage;
import org.resilire.wire.sbe.EpochKind;

@Timeout(60)
class CapturePipeTest {

    private static final int CHUNKS = 4;
    private static final int CHUNK_BYTES = 16 << 10;
    private static final long IDLE_NANOS = 10_000;

    private final CapturePipe pipe = new CapturePipe(CHUNKS, CHUNK_BYTES, new SleepingIdleStrategy(IDLE_NANOS));
    private final DeviceStateCapture deviceState =
            new DeviceStateCapture(memory -> new WholePageIdentifier(memory, null, new ScalarBlockKernels()));
    private final EpochWriter writer = new EpochWriter(pipe, new ScriptedIdentifier(), deviceState, false);
    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        pipe.close();
        deviceState.close();
        arena.close();
    }

    /** What a page yields is a function of its number: nothing, a zero page, or some blocks. */
    private static final class ScriptedIdentifier implements BlockIdentifier {

        @Override
        public int capture(final long page, final MemorySegment out, final long outOffset) {
            final int blocks = (int) (page * 7 % 66) - 1;
            if (blocks < 0) {
                return 0;
            }
            final long mask = blocks == 0 ? 0 : -1L >>> (Long.SIZE - blocks);
            PageRecord.putHeader(out, outOffset, page, blocks == 0 ? PageRecord.ZERO : PageRecord.BLOCKS, mask);
            final int length = PageRecord.lengthBytes(mask);
            for (long at = outOffset + PageRecord.HEADER_BYTES; at < outOffset + length; at += Long.BYTES) {
                out.set(ValueLayout.JAVA_LONG_UNALIGNED, at, page * 31 + at - outOffset);
            }
            return length;
        }

        @Override
        public void reset() {}

        @Override
        public long memoryBytes() {
            return 0;
        }

        @Override
        public void close() {}
    }

    /** All that a consumer saw, kind by kind. */
    private final class Received {

        final ByteArrayOutputStream pages = new ByteArrayOutputStream();
        final MemorySegment device = arena.allocate(4 * CHUNK_BYTES);
        final PageBatchApplier deviceApplier = new PageBatchApplier(device);
        final List<CaptureChunk.Content> order = new ArrayList<>();
        int records;
        int ends;
        long lastEpoch;

        void take(final CaptureChunk chunk) {
            if (order.isEmpty() || order.getLast() != chunk.content()) {
                order.add(chunk.content());
            }
            final byte[] payload = chunk.memory()
                    .asSlice(CaptureChunk.HEADER_ROOM_BYTES, chunk.payloadBytes())
                    .toArray(ValueLayout.JAVA_BYTE);
            switch (chunk.content()) {
                case PAGES -> pages.writeBytes(payload);
                case DEVICE_STATE -> {
                    long at = CaptureChunk.HEADER_ROOM_BYTES;
                    while (at < CaptureChunk.HEADER_ROOM_BYTES + chunk.payloadBytes()) {
                        at = deviceApplier.applyOne(chunk.memory(), at);
                    }
                }
                case EPOCH_END -> {
                    ends++;
                    assertEquals(lastEpoch + 1, chunk.epoch());
                    lastEpoch = chunk.epoch();
                }
                case PAGE_HASHES -> throw new AssertionError("nobody asked for hashes");
            }
            records += chunk.content() == CaptureChunk.Content.PAGES ? chunk.recordCount() : 0;
        }
    }

    @Test
    void shouldLoseAndReorderNothingWhateverTheSendersPace() {
        final int epochs = 150;
        final int pages = 40;
        final int deviceBytes = 3 * CHUNK_BYTES;
        MemorySegment.copy(randomBytes(deviceBytes), 0, writer.deviceState(), 0, deviceBytes);
        final CompletableFuture<Void> capture = CompletableFuture.runAsync(() -> {
            for (long epoch = 1; epoch <= epochs; epoch++) {
                writer.begin(epoch, EpochKind.CHECKPOINT);
                writer.capture(epoch * 100, pages);
                writer.captureDeviceState(deviceBytes);
                writer.end();
            }
        });
        final Random random = new Random(51);
        final Received received = new Received();
        final Deque<CaptureChunk> held = new ArrayDeque<>();
        while (received.ends < epochs) {
            final CaptureChunk chunk = held.size() < CHUNKS ? pipe.poll() : null;
            if (chunk != null) {
                received.take(chunk);
                held.add(chunk);
                if (chunk.content() == CaptureChunk.Content.EPOCH_END && received.lastEpoch % 10 == 0) {
                    assertEquals(
                            List.of(
                                    CaptureChunk.Content.PAGES,
                                    CaptureChunk.Content.DEVICE_STATE,
                                    CaptureChunk.Content.EPOCH_END),
                            received.order.subList(0, 3));
                }
            }
            while (!held.isEmpty() && (chunk == null || random.nextInt(3) == 0)) {
                pipe.recycle(held.poll());
            }
        }
        capture.join();
        held.forEach(pipe::recycle);
        assertNull(pipe.poll());
        assertEquals(3 * epochs, received.order.size());

        final ByteArrayOutputStream expected = new ByteArrayOutputStream();
        int records = 0;
        final MemorySegment record = arena.allocate(PageRecord.MAX_BYTES);
        for (long epoch = 1; epoch <= epochs; epoch++) {
            for (long page = epoch * 100; page < epoch * 100 + pages; page++) {
                final int length = new ScriptedIdentifier().capture(page, record, 0);
                expected.writeBytes(record.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
                records += length > 0 ? 1 : 0;
            }
        }
        assertEquals(records, received.records);
        assertArrayEquals(expected.toByteArray(), received.pages.toByteArray());
    }

    @Test
    void shouldSendAllOfADeviceState() {
        final int length = 2 * CHUNK_BYTES + 123;
        final MemorySegment device = randomBytes(length);
        MemorySegment.copy(device, 0, writer.deviceState(), 0, length);
        writer.begin(1, EpochKind.CHECKPOINT);
        writer.captureDeviceState(length);
        final Received received = new Received();
        CaptureChunk chunk = pipe.poll();
        while (chunk != null) {
            received.take(chunk);
            pipe.recycle(chunk);
            chunk = pipe.poll();
        }
        assertEquals(-1, device.mismatch(received.device.asSlice(0, length)));
    }

    @Test
    void shouldWaitForASlowSenderInsteadOfGrowing() throws InterruptedException {
        final AtomicInteger epochs = new AtomicInteger();
        final Thread capture = Thread.ofPlatform().start(() -> {
            for (long epoch = 1; epoch <= 3 * CHUNKS; epoch++) {
                writer.begin(epoch, EpochKind.SYNCHRONISATION);
                writer.end();
                epochs.incrementAndGet();
            }
        });
        await(() -> epochs.get() == CHUNKS && capture.getState() == Thread.State.TIMED_WAITING);
        assertEquals(CHUNKS, epochs.get());
        for (long epoch = 1; epoch <= 3 * CHUNKS; epoch++) {
            await(() -> epochs.get() > 0);
            final CaptureChunk chunk = pollSoon();
            assertEquals(epoch, chunk.epoch());
            pipe.recycle(chunk);
        }
        capture.join();
        assertEquals(3 * CHUNKS, epochs.get());
        assertTrue(pipe.waitedNanos() > 0);
    }

    @Test
    void shouldFreeAWaitingWriterOnAbort() {
        final CompletableFuture<Void> capture = CompletableFuture.runAsync(() -> {
            for (long epoch = 1; ; epoch++) {
                writer.begin(epoch, EpochKind.SYNCHRONISATION);
                writer.end();
            }
        });
        final List<CaptureChunk> taken = new ArrayList<>();
        for (int i = 0; i < CHUNKS; i++) {
            taken.add(pollSoon());
        }
        pipe.abort();
        final CompletionException end = assertThrows(CompletionException.class, capture::join);
        assertInstanceOf(CaptureAbortedException.class, end.getCause());
        assertThrows(CaptureAbortedException.class, writer::end);

        taken.forEach(pipe::recycle);
        assertThrows(CaptureAbortedException.class, writer::end, "free chunks do not bring the session back");
        pipe.rearm();
        writer.begin(1, EpochKind.SYNCHRONISATION);
        writer.end();
        assertNotNull(pipe.poll());
    }

    @Test
    void shouldGiveAPartlyFilledChunkBackWhenAnEpochIsAbandoned() {
        for (int i = 0; i < 3 * CHUNKS; i++) {
            writer.begin(1, EpochKind.SYNCHRONISATION);
            writer.capture(1, 2);
            pipe.abort();
            writer.abandon();
            pipe.recycle(pipe.poll());
            assertNull(pipe.poll());
            pipe.rearm();
        }
    }

    @Test
    void shouldHoldChunksBackDuringAPauseUntilThereIsNoneLeft() {
        writer.begin(1, EpochKind.CHECKPOINT);
        writer.pauseBegan();
        writer.end();
        assertNull(pipe.poll());
        writer.pauseEnded();
        pipe.recycle(pipe.poll());

        writer.begin(2, EpochKind.CHECKPOINT);
        writer.pauseBegan();
        final CompletableFuture<Void> capture = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < 2 * CHUNKS; i++) {
                writer.end();
            }
        });
        for (int i = 0; i < 2 * CHUNKS; i++) {
            pipe.recycle(pollSoon());
        }
        capture.join();

        writer.pauseBegan();
        writer.end();
        pipe.abort();
        assertNotNull(pipe.poll(), "a pause that ends in an abort holds nothing back");
    }

    @Test
    void shouldCountWhatItCaptured() {
        final PageRuns runs = new PageRuns(4);
        runs.add(1, 2);
        runs.add(20, 1);
        writer.begin(1, EpochKind.SYNCHRONISATION);
        writer.capture(runs);
        assertEquals(3, writer.changedPages());
        assertEquals(6 + 13 + 7, writer.changedBlocks());
        assertEquals(3 * PageRecord.HEADER_BYTES + 26L * PageRecord.BLOCK_BYTES, writer.capturedBytes());
        writer.begin(2, EpochKind.SYNCHRONISATION);
        assertEquals(0, writer.changedPages());
        writer.abandon();
    }

    @Test
    void shouldAllocateNothingInSteadyState() {
        MemorySegment.copy(randomBytes(5_000), 0, writer.deviceState(), 0, 5_000);
        final PageRuns runs = new PageRuns(4);
        runs.add(1, 3);
        runs.add(20, 4);
        captureAndSend(runs, 30_000);
        Garbage.assertBelow(16 << 10, "10,000 epochs", () -> captureAndSend(runs, 10_000));
    }

    private void captureAndSend(final PageRuns runs, final int epochs) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
            writer.begin(epoch, EpochKind.CHECKPOINT);
            writer.capture(runs);
            writer.captureDeviceState(5_000);
            writer.end();
            for (CaptureChunk chunk = pipe.poll(); chunk != null; chunk = pipe.poll()) {
                pipe.recycle(chunk);
            }
        }
    }

    private MemorySegment randomBytes(final int length) {
        final byte[] bytes = new byte[length];
        new Random(52).nextBytes(bytes);
        final MemorySegment segment = arena.allocate(length);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, length);
        return segment;
    }

    private CaptureChunk pollSoon() {
        final CaptureChunk[] chunk = new CaptureChunk[1];
        await(() -> {
            chunk[0] = pipe.poll();
            return chunk[0] != null;
        });
        return chunk[0];
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(final Condition condition) {
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < deadline, "not within 30 s");
            Thread.onSpinWait();
        }
    }
}
