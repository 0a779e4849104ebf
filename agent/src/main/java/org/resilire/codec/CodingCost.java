package org.resilire.codec;

/** What one coding was seen to cost and to save, of late. */
final class CodingCost {

    /** Bytes after which a new measurement and the old estimate weigh the same. */
    private static final double MEMORY_BYTES = 256 << 10;
    /** A thread that was not scheduled for a while says nothing about the coding. */
    private static final double LARGEST_RISE = 2;
    /** Time is wasted by accident, never won: what is faster than was thought is believed sooner. */
    private static final double FALL_WEIGHT = 0.5;

    private boolean known;
    private double nanosPerByte;
    private double ratio;

    void onMeasured(final int capturedBytes, final int wireBytes, final long nanos) {
        final double sampleNanos = (double) nanos / capturedBytes;
        final double sampleRatio = (double) wireBytes / capturedBytes;
        if (!known) {
            known = true;
            nanosPerByte = sampleNanos;
            ratio = sampleRatio;
            return;
        }
        final double weight = capturedBytes / (capturedBytes + MEMORY_BYTES);
        ratio += weight * (sampleRatio - ratio);
        final double believed = Math.min(sampleNanos, nanosPerByte * LARGEST_RISE);
        final double nanosWeight = believed < nanosPerByte ? Math.max(weight, FALL_WEIGHT) : weight;
        nanosPerByte += nanosWeight * (believed - nanosPerByte);
    }

    boolean isKnown() {
        return known;
    }

    /** Time until a captured byte has been encoded and has left, in nanoseconds. */
    double totalNanos(final double linkNanosPerByte) {
        return nanosPerByte + ratio * linkNanosPerByte;
    }

    double nanosPerByte() {
        return nanosPerByte;
    }

    double ratio() {
        return ratio;
    }
}
