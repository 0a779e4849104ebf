package org.resilire.codec;

/**
 * Whether blocks are worth being looked for. A search costs a cache miss a block whether it finds anything or not; where hardly any is
 * found, only a sample is looked for. The sample is of contents, by their hash, not of blocks: what occurs twice is in it twice or not
 * at all, so that its share of blocks found is that of all. Not thread-safe.
 */
final class SharingWorth {

    /** One content in so many is in the sample. */
    static final int SAMPLED = 16;

    /** Of the hash, bits that neither choose a set of the largest index nor are kept with an entry. */
    private static final long SAMPLE_BITS = (SAMPLED - 1L) << 24;

    /** Fewer blocks say nothing. */
    private static final int BLOCKS_BEFORE_JUDGEMENT = 4_096;

    private static final int SAMPLED_BLOCKS_BEFORE_JUDGEMENT = 256;

    /** Of the blocks that were looked for, one in so many must have been found. */
    private static final int LEAST_FOUND = 64;

    private boolean isRare;
    private int searched;
    private int found;

    /** Whether only blocks of the sample are to be looked for. */
    boolean isSampled() {
        return isRare;
    }

    static boolean isInSample(final long blockHash) {
        return (blockHash & SAMPLE_BITS) == 0;
    }

    void onSearched(final int blocks, final int shared) {
        searched += blocks;
        found += shared;
        if (searched >= (isRare ? SAMPLED_BLOCKS_BEFORE_JUDGEMENT : BLOCKS_BEFORE_JUDGEMENT)) {
            isRare = (long) found * LEAST_FOUND < searched;
            searched = 0;
            found = 0;
        }
    }
}
