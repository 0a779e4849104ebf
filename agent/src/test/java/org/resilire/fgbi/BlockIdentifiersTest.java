package org.resilire.fgbi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.resilire.codec.PageRecord.BLOCK_BYTES;
import static org.resilire.codec.PageRecord.HEADER_BYTES;
import static org.resilire.codec.PageRecord.PAGE_BYTES;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageBatchValidator;
import org.resilire.codec.PageRecord;
import org.resilire.simd.BlockKernels;
import org.resilire.synthetic.SyntheticMemory;

/** What the identifiers promise beside that the replica becomes equal: to send no block that did not change. */
class BlockIdentifiersTest {

    private static final int PAGES = 12;
    private static final int RECORD_AT = 24;
    private static final int ROUNDS_BESIDE_WRITES = 300;

    @TempDir
    Path directory;

    private final Random random = new Random(81);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment out = arena.allocate(RECORD_AT + PageRecord.MAX_BYTES);
    private final MemorySegment replica = arena.allocate((long) PAGES * PAGE_BYTES);
    private final byte[] known = new byte[PAGES * PAGE_BYTES];
    private SyntheticMemory guest;
    private SentMemory sent;
    private int lastLength;

    @BeforeEach
    void open() {
        guest = SyntheticMemory.ofGuest(directory.resolve("guest"), PAGES);
        sent = new SentMemory("a test's memory", (long) PAGES * PAGE_BYTES);
    }

    @AfterEach
    void close() {
        sent.close();
        guest.close();
        arena.close();
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindTheBlocksThatDifferFromWhatWasSentAndNoOthers(final BlockSize size) {
        try (DeferredShadowIdentifier identifier =
                new DeferredShadowIdentifier(guest.bytes(), sent, BlockKernels.preferred(), size)) {
            captureAll(identifier, size, new PageBatchApplier(sent.segment()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindTheBlocksWhoseHashChangedAndNoOthers(final BlockSize size) {
        try (HashBlockIdentifier identifier = new HashBlockIdentifier(guest.bytes(), BlockKernels.preferred(), size)) {
            captureAll(identifier, size, null);
            assertEquals((long) PAGES * PAGE_BYTES / size.bytes() * Long.BYTES, identifier.memoryBytes());
        }
    }

    private void captureAll(
            final BlockIdentifier identifier, final BlockSize size, final PageBatchApplier encoderOrNull) {
        for (int round = 0; round < 150; round++) {
            for (int writes = random.nextInt(8); writes > 0; writes--) {
                final int page = random.nextInt(PAGES);
                switch (random.nextInt(6)) {
                    case 0 -> guest.fillPage(page, (byte) 0);
                    case 1 -> guest.fillPage(page, (byte) random.nextInt());
                    default -> guest.scribble(random, page);
                }
            }
            if (round == 75) {
                identifier.reset();
                Arrays.fill(known, (byte) 0);
                replica.fill((byte) 0);
            }
            final byte[] now = guest.snapshot();
            for (int page = 0; page < PAGES; page++) {
                captureAndCompare(identifier, size, page, now);
                if (encoderOrNull != null && lastLength > 0) {
                    encoderOrNull.applyOne(out, RECORD_AT);
                }
            }
            assertArrayEquals(now, replica.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private void captureAndCompare(
            final BlockIdentifier identifier, final BlockSize size, final int page, final byte[] now) {
        long mask = 0;
        boolean zero = true;
        for (int i = page * PAGE_BYTES; i < (page + 1) * PAGE_BYTES; i++) {
            if (now[i] != known[i]) {
                mask |= maskOf(size, i % PAGE_BYTES / size.bytes());
            }
            zero &= now[i] == 0;
            known[i] = now[i];
        }
        lastLength = identifier.capture(page, out, RECORD_AT);
        if (mask == 0) {
            assertEquals(0, lastLength);
            return;
        }
        final boolean asZero = zero && mask == -1L;
        assertEquals(asZero ? HEADER_BYTES : PageRecord.lengthBytes(mask), lastLength);
        assertEquals(asZero ? 0 : mask, PageRecord.mask(out, RECORD_AT));
        new PageBatchValidator(PAGES).validate(out, RECORD_AT, lastLength, 1);
        new PageBatchApplier(replica).applyOne(out, RECORD_AT);
    }

    private static long maskOf(final BlockSize size, final int block) {
        final int parts = size.bytes() / BLOCK_BYTES;
        long mask = 0;
        for (int part = 0; part < parts; part++) {
            mask |= 1L << (block * parts + part);
        }
        return mask;
    }

    @ParameterizedTest
    @EnumSource
    void shouldRememberWhatItSentByHashHoweverThePageIsWrittenMeanwhile(final BlockSize size) throws Exception {
        try (HashBlockIdentifier identifier = new HashBlockIdentifier(guest.bytes(), BlockKernels.preferred(), size)) {
            captureBesideWrites(identifier, null);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRememberWhatItSentByShadowHoweverThePageIsWrittenMeanwhile(final BlockSize size) throws Exception {
        try (DeferredShadowIdentifier identifier =
                new DeferredShadowIdentifier(guest.bytes(), sent, BlockKernels.preferred(), size)) {
            captureBesideWrites(identifier, new PageBatchApplier(sent.segment()));
        }
    }

    /** As ahead of a pause: the guest writes while its page is captured, and is at rest when that is captured again. */
    private void captureBesideWrites(final BlockIdentifier identifier, final PageBatchApplier encoderOrNull)
            throws InterruptedException {
        final PageBatchApplier backup = new PageBatchApplier(replica);
        for (int round = 0; round < ROUNDS_BESIDE_WRITES; round++) {
            final int seed = round;
            final Thread writer =
                    Thread.ofPlatform().name("guest").start(() -> writeForAMoment(new SplittableRandom(seed)));
            boolean isAtRest;
            do {
                isAtRest = !writer.isAlive();
                if (identifier.capture(0, out, RECORD_AT) > 0) {
                    backup.applyOne(out, RECORD_AT);
                    if (encoderOrNull != null) {
                        encoderOrNull.applyOne(out, RECORD_AT);
                    }
                }
            } while (!isAtRest);
            writer.join();
            assertEquals(
                    -1,
                    MemorySegment.mismatch(guest.bytes(), 0, PAGE_BYTES, replica, 0, PAGE_BYTES),
                    "first byte that differs after round " + round);
        }
    }

    private void writeForAMoment(final SplittableRandom writes) {
        for (int i = writes.nextInt(500); i >= 0; i--) {
            guest.bytes().set(ValueLayout.JAVA_BYTE, writes.nextInt(PAGE_BYTES), (byte) writes.nextInt());
            for (int spins = writes.nextInt(20); spins > 0; spins--) {
                Thread.onSpinWait();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldWidenAMaskToWholeBlocks(final BlockSize size) {
        for (int block = 0; block < Long.SIZE; block++) {
            assertEquals(
                    maskOf(size, block / (size.bytes() / BLOCK_BYTES)), size.widen(1L << block), () -> "of " + size);
        }
        assertEquals(0, size.widen(0));
        assertEquals(-1L, size.widen(-1L));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 63, 65, 512, 4096, -64})
    void shouldKnowNoOtherBlockSize(final int bytes) {
        assertThrows(IllegalArgumentException.class, () -> BlockSize.of(bytes));
    }

    @Test
    void shouldTakePagesWholeWhetherTheyChangedOrNot() {
        try (WholePageIdentifier identifier = new WholePageIdentifier(guest.bytes(), null, BlockKernels.preferred())) {
            assertEquals(0, identifier.capture(2, out, RECORD_AT), "zero as the peer's");
            guest.bytes().set(ValueLayout.JAVA_BYTE, 2L * PAGE_BYTES + 5, (byte) 1);
            for (int i = 0; i < 3; i++) {
                assertEquals(PageRecord.MAX_BYTES, identifier.capture(2, out, RECORD_AT));
                assertEquals(-1L, PageRecord.mask(out, RECORD_AT));
            }
            guest.fillPage(2, (byte) 0);
            assertEquals(HEADER_BYTES, identifier.capture(2, out, RECORD_AT));
            assertEquals(PageRecord.ZERO, PageRecord.encoding(out, RECORD_AT));
            assertEquals(0, identifier.capture(3, out, RECORD_AT));
            identifier.reset();
            assertEquals(0, identifier.capture(2, out, RECORD_AT));
            assertTrue(identifier.memoryBytes() < PAGES + Long.BYTES);
        }
    }
}
