package org.resilire.benchmarks.guest;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Fills memory quickly: a mebibyte of random words, again and again. */
public final class RandomContent {

    private static final long PERIOD_BYTES = 1 << 20;

    private RandomContent() {}

    /** Fills a segment of whole words. */
    public static void fill(final MemorySegment segment, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final long firstBytes = Math.min(PERIOD_BYTES, segment.byteSize());
        for (long at = 0; at < firstBytes; at += Long.BYTES) {
            segment.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
        for (long at = firstBytes; at < segment.byteSize(); at += firstBytes) {
            MemorySegment.copy(segment, 0, segment, at, Math.min(firstBytes, segment.byteSize() - at));
        }
    }
}
