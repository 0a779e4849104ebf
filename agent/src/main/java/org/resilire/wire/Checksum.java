package org.resilire.wire;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import net.openhft.hashing.LongHashFunction;

/**
 * Checksum over what an epoch carries: XXH3 of each batch, folded in order. It guards against mistakes and corruption, not
 * against an attacker. Not thread-safe.
 */
public final class Checksum {

    private static final LongHashFunction XXH3 = LongHashFunction.xx3();
    private static final long FOLD = 0x9E3779B97F4A7C15L;

    private long value;

    public void reset() {
        value = 0;
    }

    /** Adds the next batch. */
    public void add(final MemorySegment segment, final long offset, final long lengthBytes) {
        value = Long.rotateLeft(value, 29) * FOLD + hash(segment, offset, lengthBytes);
    }

    public long value() {
        return value;
    }

    /**
     * XXH3 of a range of native memory. Any thread.
     *
     * @throws IllegalArgumentException for a segment on the heap, which has no address
     */
    public static long hash(final MemorySegment segment, final long offset, final long lengthBytes) {
        Objects.checkFromIndexSize(offset, lengthBytes, segment.byteSize());
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a hash is taken of native memory only, not of " + segment);
        }
        // SAFETY: the range was just checked against the segment, which the caller keeps alive during the call.
        return XXH3.hashMemory(segment.address() + offset, lengthBytes);
    }
}
