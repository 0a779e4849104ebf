package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.resilire.simd.BlockKernels;

class SharingIndexTest {

    private static final int PAGES = 4;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment sent = arena.allocate((long) PAGES * PageRecord.PAGE_BYTES);
    private final MemorySegment block = arena.allocate(PageRecord.BLOCK_BYTES);
    private final MemorySegment references = arena.allocate(PageRecord.PAGE_BYTES);

    @AfterEach
    void close() {
        arena.close();
    }

    private static SharingIndex index(final int capacityBytes, final BlockHash hash) {
        return new SharingIndex(capacityBytes, BlockKernels.preferred(), hash);
    }

    /** Puts a block of this content at this place of sent memory, as the encoder does. */
    private boolean send(final SharingIndex index, final long page, final int blockInPage, final int content) {
        block.fill((byte) content);
        final long found = index.share(block, 0, 1L << blockInPage, 1L << blockInPage, sent, page, references, 0);
        final long at = page * PageRecord.PAGE_BYTES + blockInPage * 64L;
        if (at < sent.byteSize()) {
            MemorySegment.copy(block, 0, sent, at, PageRecord.BLOCK_BYTES);
        }
        return found != 0;
    }

    @Test
    void shouldReferToWhereTheContentIs() {
        try (SharingIndex index = index(1 << 12, new FoldedHash())) {
            assertEquals(false, send(index, 1, 5, 7));
            assertTrue(send(index, 2, 9, 7));
            assertEquals(64 + 5, references.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
            assertEquals(1, index.hits());
            assertEquals(false, send(index, 3, 9, 8));
        }
    }

    @Test
    void shouldNotTrustAHashThatCollides() {
        try (SharingIndex index = index(1 << 12, (segment, offset) -> 42)) {
            assertEquals(false, send(index, 0, 0, 1));
            assertEquals(false, send(index, 1, 0, 2));
            assertEquals(1, index.collisions());
            assertEquals(0, index.staleHits());
            assertTrue(send(index, 2, 0, 2), "the later content replaced the earlier one");
        }
    }

    @Test
    void shouldNotReferToABlockThatWasOverwritten() {
        try (SharingIndex index = index(1 << 12, new FoldedHash())) {
            assertEquals(false, send(index, 0, 3, 1));
            sent.asSlice(3 * 64, 64).fill((byte) 9);
            assertEquals(false, send(index, 1, 0, 1));
            assertEquals(1, index.staleHits());
            assertEquals(0, index.collisions());
            assertTrue(send(index, 2, 0, 1), "the new place is known");
            assertEquals(64, references.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
        }
    }

    @Test
    void shouldNotReferIntoTheSamePage() {
        try (SharingIndex index = index(1 << 12, new FoldedHash())) {
            assertEquals(false, send(index, 1, 5, 7));
            assertEquals(false, send(index, 1, 6, 7));
            final MemorySegment two = arena.allocate(128).fill((byte) 3);
            assertEquals(0, index.share(two, 0, 3, 3, sent, 2, references, 0));
        }
    }

    @Test
    void shouldStayWithinItsMemoryAndForgetSomethingOld() {
        try (SharingIndex index = index(64, new FoldedHash())) {
            for (int content = 1; content <= 9; content++) {
                assertEquals(false, send(index, 0, content, content));
            }
            assertEquals(1, index.evictions());
            assertTrue(send(index, 1, 0, 9), "the newest is known");
            assertEquals(64, index.capacityBytes());
        }
        assertThrows(IllegalArgumentException.class, () -> index(63, new FoldedHash()));
    }

    @Test
    void shouldLetAnotherEntryGiveWayEachTime() {
        try (SharingIndex index = index(64, new FoldedHash())) {
            for (int content = 1; content <= 16; content++) {
                assertEquals(false, send(index, 0, content, content));
            }
            assertEquals(8, index.evictions());
            for (int content = 9; content <= 16; content++) {
                assertTrue(send(index, 1, content, content), "the eight newest are known");
            }
        }
    }

    @Test
    void shouldNotRememberWhatAReferenceCannotName() {
        try (SharingIndex index = index(1 << 12, new FoldedHash())) {
            final long firstBeyond = PageRecord.REFERABLE_BLOCKS / PageRecord.BLOCKS_PER_PAGE;
            assertEquals(false, send(index, firstBeyond, 0, 1));
            assertEquals(false, send(index, 0, 0, 1));
            assertEquals(0, index.staleHits() + index.collisions());
            assertTrue(send(index, firstBeyond, 0, 1), "a page beyond may refer to one below");
        }
    }

    /** A search costs what it costs, also where it never finds anything. */
    @Test
    void shouldLookForASampleWhereHardlyAnythingIsFoundAndForAllAgainOnceThereIsSomething() {
        final Random random = new Random(6);
        try (SharingIndex index = index(1 << 20, new FoldedHash())) {
            final MemorySegment page = arena.allocate(PageRecord.PAGE_BYTES);
            final MemorySegment memory = arena.allocate(512L * PageRecord.PAGE_BYTES);
            for (int i = 0; i < 256; i++) {
                noise(page, random);
                assertEquals(0, sendPage(index, page, memory, i));
            }
            final long before = index.searched();
            for (int i = 256; i < 320; i++) {
                noise(page, random);
                assertEquals(0, sendPage(index, page, memory, i));
            }
            final double searched = index.searched() - before;
            assertEquals(64 * 64 / 16.0, searched, 100, "of 4,096 blocks that nothing is like");
            // The same few pages again and again: what is in the sample is found, and soon all is looked for.
            long found = 0;
            for (int i = 320; i < 512; i++) {
                noise(page, new Random(i % 4));
                found += sendPage(index, page, memory, i);
            }
            assertTrue(found > 100 * 64, found + " blocks found");
        }
    }

    private static void noise(final MemorySegment page, final Random random) {
        for (long at = 0; at < PageRecord.PAGE_BYTES; at += Long.BYTES) {
            page.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    private int sendPage(
            final SharingIndex index, final MemorySegment from, final MemorySegment memory, final long page) {
        final long found = index.share(from, 0, -1L, -1L, memory, page, references, 0);
        MemorySegment.copy(from, 0, memory, page * PageRecord.PAGE_BYTES, PageRecord.PAGE_BYTES);
        return Long.bitCount(found);
    }

    @Test
    void shouldHashEveryByteOfABlock() {
        final FoldedHash hash = new FoldedHash();
        final long zero = hash.hash(block, 0);
        for (int bit = 0; bit < 512; bit++) {
            block.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (1 << bit % 8));
            final long other = hash.hash(block, 0);
            assertTrue(Long.bitCount(zero ^ other) > 12, "bit " + bit);
            block.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) 0);
        }
    }
}
