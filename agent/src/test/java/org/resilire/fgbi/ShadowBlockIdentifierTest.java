package org.resilire.fgbi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.resilire.codec.PageRecord.BLOCK_BYTES;
import static org.resilire.codec.PageRecord.HEADER_BYTES;
import static org.resilire.codec.PageRecord.PAGE_BYTES;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.codec.PageBatchApplier;
import org.resilire.codec.PageBatchValidator;
import org.resilire.codec.PageRecord;
import org.resilire.simd.BlockKernels;
import org.resilire.synthetic.SyntheticMemory;

class ShadowBlockIdentifierTest {

    private static final int PAGES = 16;
    private static final int RECORD_AT = 40;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment out = arena.allocate(RECORD_AT + PageRecord.MAX_BYTES);
    private final MemorySegment replica = arena.allocate((long) PAGES * PAGE_BYTES);
    private final byte[] known = new byte[PAGES * PAGE_BYTES];
    private SyntheticMemory guest;
    private ShadowBlockIdentifier identifier;

    @BeforeEach
    void open() {
        guest = SyntheticMemory.ofGuest(directory.resolve("guest"), PAGES);
        identifier = new ShadowBlockIdentifier(guest.memory().segment(), BlockKernels.preferred());
    }

    @AfterEach
    void close() {
        identifier.close();
        guest.close();
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23})
    void shouldNotMissOrInventABlock(final long seed) {
        final Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            for (int writes = random.nextInt(8); writes > 0; writes--) {
                final int page = random.nextInt(PAGES);
                switch (random.nextInt(6)) {
                    case 0 -> guest.fillPage(page, (byte) 0);
                    case 1 -> guest.fillPage(page, (byte) random.nextInt());
                    default -> guest.scribble(random, page);
                }
            }
            final byte[] now = guest.snapshot();
            for (int page = 0; page < PAGES; page++) {
                captureAndCompare(page, now);
            }
            assertArrayEquals(now, replica.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void shouldSayInAHeaderThatAPageBecameZero() {
        guest.fillPage(3, (byte) 7);
        assertEquals(PageRecord.MAX_BYTES, identifier.capture(3, out, RECORD_AT));
        guest.fillPage(3, (byte) 0);
        assertEquals(HEADER_BYTES, identifier.capture(3, out, RECORD_AT));
        assertEquals(PageRecord.ZERO, PageRecord.encoding(out, RECORD_AT));
        assertEquals(0, identifier.capture(3, out, RECORD_AT));
        guest.bytes().set(ValueLayout.JAVA_BYTE, 3L * PAGE_BYTES + PAGE_BYTES - 1, (byte) 1);
        assertEquals(HEADER_BYTES + BLOCK_BYTES, identifier.capture(3, out, RECORD_AT));
        assertEquals(Long.MIN_VALUE, PageRecord.mask(out, RECORD_AT));
    }

    @Test
    void shouldForgetAllOnReset() {
        for (int page = 0; page < PAGES - 1; page++) {
            guest.fillPage(page, (byte) (page + 1));
            assertTrue(identifier.capture(page, out, RECORD_AT) > 0);
            assertEquals(0, identifier.capture(page, out, RECORD_AT));
        }
        identifier.reset();
        for (int page = 0; page < PAGES - 1; page++) {
            assertEquals(PageRecord.MAX_BYTES, identifier.capture(page, out, RECORD_AT));
        }
        assertEquals(0, identifier.capture(PAGES - 1, out, RECORD_AT), "the peer's page is zero, as this one");
    }

    /** The oracle: blocks in which any byte differs from what was captured last. */
    private void captureAndCompare(final int page, final byte[] now) {
        long mask = 0;
        boolean zero = true;
        for (int i = page * PAGE_BYTES; i < (page + 1) * PAGE_BYTES; i++) {
            if (now[i] != known[i]) {
                mask |= 1L << (i % PAGE_BYTES / BLOCK_BYTES);
            }
            zero &= now[i] == 0;
            known[i] = now[i];
        }
        final int length = identifier.capture(page, out, RECORD_AT);
        if (mask == 0) {
            assertEquals(0, length);
            return;
        }
        final boolean asZero = zero && mask == -1L;
        assertEquals(asZero ? HEADER_BYTES : PageRecord.lengthBytes(mask), length);
        assertEquals(asZero ? 0 : mask, PageRecord.mask(out, RECORD_AT));
        new PageBatchValidator(PAGES).validate(out, RECORD_AT, length, 1);
        new PageBatchApplier(replica).applyOne(out, RECORD_AT);
    }
}
