package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.resilire.codec.PageRecord.BLOCKS;
import static org.resilire.codec.PageRecord.HEADER_BYTES;
import static org.resilire.codec.PageRecord.PAGE_BYTES;
import static org.resilire.codec.PageRecord.ZERO;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The replica stands between two pages of a known pattern, so that a write beside it is seen. */
class PageBatchTest {

    private static final int PAGES = 8;
    private static final int REPLICA_BYTES = PAGES * PAGE_BYTES;
    private static final int BATCH_BYTES = 64 << 10;
    private static final byte CANARY = 0x5A;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment surroundings = arena.allocate(REPLICA_BYTES + 2L * PAGE_BYTES, PAGE_BYTES);
    private final MemorySegment replica = surroundings.asSlice(PAGE_BYTES, REPLICA_BYTES);
    private final MemorySegment batch = arena.allocate(BATCH_BYTES, PAGE_BYTES);
    private final byte[] model = new byte[REPLICA_BYTES];
    private final PageBatchValidator validator = new PageBatchValidator(PAGES);
    private final PageBatchApplier applier = new PageBatchApplier(replica);

    PageBatchTest() {
        surroundings.fill(CANARY);
        replica.fill((byte) 0);
    }

    @AfterEach
    void close() {
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldApplyWhatWasEncoded(final long seed) {
        final Random random = new Random(seed);
        final RandomPages pages = new RandomPages(random, PAGES);
        for (int round = 0; round < 100; round++) {
            final int records = 1 + random.nextInt(12);
            final int offset = random.nextInt(64);
            final long length = pages.write(batch, offset, records, model);
            validator.validate(batch, offset, length, records);
            assertEquals(offset + length, apply(offset, length));
            assertReplicaIs(model);
        }
    }

    @Test
    void shouldRefuseEveryTruncation() {
        final long length = new RandomPages(new Random(9), PAGES).write(batch, 0, 4, model);
        validator.validate(batch, 0, length, 4);
        for (long cut = 0; cut < length; cut++) {
            final long shorter = cut;
            assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, shorter, 4));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 3, 5, 1_000_000, Integer.MAX_VALUE})
    void shouldRefuseAnyOtherCount(final int count) {
        final long length = new RandomPages(new Random(10), PAGES).write(batch, 0, 4, model);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, length, count));
    }

    @Test
    void shouldRefuseANegativeCountOfNothing() {
        validator.validate(batch, 0, 0, 0);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 0, -1));
    }

    @ParameterizedTest
    @CsvSource({
        "0, -1",
        "0, 65537",
        "65536, 1",
        "0, 9223372036854775807",
        "0, -9223372036854775808",
        "16, 9223372036854775807",
        "-1, 16"
    })
    void shouldRefuseALengthThatIsNotThere(final long offset, final long length) {
        PageRecord.putHeader(batch, 0, 0, ZERO, 0);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, offset, length, 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {PAGES, PAGES + 1, Integer.MAX_VALUE, 0x8000_0000L, 0xFFFF_FFFFL})
    void shouldRefuseAPageOutsideTheReplica(final long page) {
        PageRecord.putHeader(batch, 0, page, ZERO, 0);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, HEADER_BYTES, 1));
        PageRecord.putHeader(batch, 0, page, BLOCKS, -1L);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, PageRecord.lengthBytes(-1L), 1));
    }

    @Test
    void shouldRefuseEveryReservedBitAndUnknownEncoding() {
        for (int bit = 1; bit < Integer.SIZE; bit++) {
            PageRecord.putHeader(batch, 0, 0, ZERO, 0);
            flip(4 + bit / Byte.SIZE, bit % Byte.SIZE);
            assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, HEADER_BYTES, 1));
        }
    }

    @Test
    void shouldRefuseBlocksOfAZeroPageAndAPageWithoutBlocks() {
        PageRecord.putHeader(batch, 0, 0, ZERO, 1);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, PageRecord.lengthBytes(1), 1));
        PageRecord.putHeader(batch, 0, 0, BLOCKS, 0);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, HEADER_BYTES, 1));
    }

    @ParameterizedTest
    @CsvSource({
        // Zero blocks: beyond the mask, none.
        "1, 1, 4", "1, 1, 0", "1, 1, -1",
        // Shared blocks: beyond the mask, none.
        "2, 1, 4", "2, 1, 0", "2, 1, 2"
    })
    void shouldRefuseAMaskThatIsNoPartOfTheBlocks(final int flags, final long mask, final long part) {
        final long length = header(PageRecord.BLOCKS, flags, mask) + 24 + PAGE_BYTES;
        batch.set(PageRecord.LONG, HEADER_BYTES, part);
        for (long end = HEADER_BYTES; end <= length; end += Long.BYTES) {
            final long shorter = end;
            assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, shorter, 1));
        }
    }

    @Test
    void shouldRefuseABlockThatIsZeroAndShared() {
        header(PageRecord.BLOCKS, PageRecord.HAS_ZERO_BLOCKS | PageRecord.HAS_SHARED, 3);
        batch.set(PageRecord.LONG, 16, 1);
        batch.set(PageRecord.LONG, 24, 2);
        batch.set(PageRecord.LONG, 32, 64);
        validator.validate(batch, 0, 40, 1);
        batch.set(PageRecord.LONG, 24, 1);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 40 + 64, 1));
        batch.set(PageRecord.LONG, 24, 3);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 40, 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 63, PAGES * 64L, PAGES * 64L + 1, 0x8000_0000L, 0xFFFF_FFFFL, 1L << 32 | 64})
    void shouldRefuseAReferenceOutsideTheReplicaIntoTheSamePageOrWithPadding(final long reference) {
        header(PageRecord.BLOCKS, PageRecord.HAS_SHARED, 1);
        batch.set(PageRecord.LONG, 16, 1);
        batch.set(PageRecord.LONG, 24, PAGES * 64L - 1);
        validator.validate(batch, 0, 32, 1);
        batch.set(PageRecord.LONG, 24, reference);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 32, 1));
    }

    @Test
    void shouldRefuseLanesThatAreNotThereOrPadded() {
        header(PageRecord.LANES, 0, 0b111);
        batch.set(PageRecord.LONG, 16, 0x01_00_80);
        validator.validate(batch, 0, 40, 1);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 32, 1));
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 48, 1));
        for (int bit = 24; bit < Long.SIZE; bit++) {
            batch.set(PageRecord.LONG, 16, 0x01_00_80 | 1L << bit);
            assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 40, 1));
            assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 48, 1));
        }
    }

    @Test
    void shouldRefuseLanesOfNoBlocksAndARecordLargerThanAPage() {
        header(PageRecord.LANES, PageRecord.HAS_ZERO_BLOCKS, 3);
        batch.set(PageRecord.LONG, 16, 3);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 24, 1));
        header(PageRecord.LANES, 0, -1L);
        batch.asSlice(16, 64).fill((byte) -1);
        assertThrows(MalformedBatchException.class, () -> validator.validate(batch, 0, 16 + 64 + PAGE_BYTES, 1));
        batch.asSlice(16, 8).fill((byte) 0);
        validator.validate(batch, 0, 16 + 64 + PAGE_BYTES - 8 * 64, 1);
    }

    private long header(final byte encoding, final int flags, final long mask) {
        PageRecord.putHeader(batch, 0, 0, encoding, flags, mask);
        return HEADER_BYTES;
    }

    @Test
    void shouldSurviveGarbage() {
        final Random random = new Random(11);
        final byte[] garbage = new byte[8192];
        int accepted = 0;
        for (int i = 0; i < 100_000; i++) {
            random.nextBytes(garbage);
            // Without this hardly any garbage would get past its first record.
            final int length = random.nextInt(3) == 0 ? random.nextInt(garbage.length) : 8 * random.nextInt(40);
            for (int at = 0; at < length && random.nextInt(4) != 0; at += HEADER_BYTES) {
                Arrays.fill(garbage, at, Math.min(length, at + HEADER_BYTES), (byte) 0);
                garbage[at] = (byte) random.nextInt(PAGES + 1);
                garbage[at + 4] = (byte) random.nextInt(3);
                garbage[at + 5] = (byte) (random.nextInt(3) == 0 ? random.nextInt(4) : 0);
                garbage[at + 8 + random.nextInt(Long.BYTES)] = (byte) (random.nextInt(3) == 0 ? 1 : 0);
            }
            MemorySegment.copy(garbage, 0, batch, ValueLayout.JAVA_BYTE, 0, length);
            accepted += applyIfValid(length, random.nextInt(6)) ? 1 : 0;
        }
        assertTrue(accepted > 100, "only " + accepted + " inputs were accepted: the applier was hardly tried");
        assertCanaries();
    }

    @Test
    void shouldSurviveMutatedBatches() {
        final Random random = new Random(12);
        final RandomPages pages = new RandomPages(random, PAGES);
        final byte[] unused = new byte[REPLICA_BYTES];
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            final int records = 1 + random.nextInt(3);
            final long length = pages.write(batch, 0, records, unused);
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                // Headers are where it hurts: most flips go to the first one.
                final long at = random.nextInt(4) == 0 ? random.nextLong(length) : random.nextInt(HEADER_BYTES);
                flip(at, random.nextInt(Byte.SIZE));
            }
            refused += applyIfValid(length, records) ? 0 : 1;
        }
        assertTrue(refused > 5_000, "only " + refused + " were refused");
        assertCanaries();
    }

    /** What was accepted may change the pages it names, and nothing else. */
    private boolean applyIfValid(final long length, final int records) {
        try {
            validator.validate(batch, 0, length, records);
        } catch (final MalformedBatchException e) {
            return false;
        }
        final byte[] before = replica.toArray(ValueLayout.JAVA_BYTE);
        final boolean[] named = new boolean[PAGES];
        for (long at = 0; at < length; at += PageRecord.lengthBytes(batch, at)) {
            named[(int) PageRecord.page(batch, at)] = true;
        }
        assertEquals(length, apply(0, length));
        final byte[] after = replica.toArray(ValueLayout.JAVA_BYTE);
        for (int page = 0; page < PAGES; page++) {
            final int from = page * PAGE_BYTES;
            assertTrue(named[page] || Arrays.equals(before, from, from + PAGE_BYTES, after, from, from + PAGE_BYTES));
        }
        return true;
    }

    private long apply(final long offset, final long length) {
        long at = offset;
        while (at < offset + length) {
            at = applier.applyOne(batch, at);
        }
        return at;
    }

    private void flip(final long at, final int bit) {
        batch.set(ValueLayout.JAVA_BYTE, at, (byte) (batch.get(ValueLayout.JAVA_BYTE, at) ^ 1 << bit));
    }

    private void assertReplicaIs(final byte[] expected) {
        assertArrayEquals(expected, replica.toArray(ValueLayout.JAVA_BYTE));
        assertCanaries();
    }

    private void assertCanaries() {
        for (int i = 0; i < PAGE_BYTES; i++) {
            assertEquals(CANARY, surroundings.get(ValueLayout.JAVA_BYTE, i));
            assertEquals(CANARY, surroundings.get(ValueLayout.JAVA_BYTE, (long) PAGE_BYTES + REPLICA_BYTES + i));
        }
    }
}
