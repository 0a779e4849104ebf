package org.resilire.wire;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class ChecksumTest {

    private static final int LENGTH_BYTES = 64;

    private static long sum(final MemorySegment... batches) {
        final Checksum checksum = new Checksum();
        for (final MemorySegment batch : batches) {
            checksum.add(batch, 0, batch.byteSize());
        }
        return checksum.value();
    }

    @Test
    void shouldTellTheOrderOfBatches() {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment first = arena.allocate(LENGTH_BYTES).fill((byte) 1);
            final MemorySegment second = arena.allocate(LENGTH_BYTES).fill((byte) 2);
            assertNotEquals(sum(first, second), sum(second, first));
            assertNotEquals(sum(first, first), sum(first));
        }
    }

    @Test
    void shouldRefuseMemoryThatHasNoAddress() {
        final MemorySegment heap = MemorySegment.ofArray(new byte[LENGTH_BYTES]);
        assertThrows(IllegalArgumentException.class, () -> Checksum.hash(heap, 0, LENGTH_BYTES));
    }

    @Test
    void shouldRefuseARangeBeyondTheSegment() {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment segment = arena.allocate(LENGTH_BYTES);
            assertThrows(IndexOutOfBoundsException.class, () -> Checksum.hash(segment, 1, LENGTH_BYTES));
        }
    }
}
