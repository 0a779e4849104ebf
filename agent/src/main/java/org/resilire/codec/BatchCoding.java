package org.resilire.codec;

/** One of the ways in which the records of a batch may leave. */
public enum BatchCoding {
    /** Blocks as they are. */
    BLOCKS(false, false),
    /** What changed within the blocks, where that is shorter. */
    LANES(true, false),
    /** Blocks, compressed. */
    BLOCKS_LZ4(false, true),
    /** What changed within the blocks, compressed. */
    LANES_LZ4(true, true);

    private final boolean delta;
    private final boolean lz4;

    BatchCoding(final boolean delta, final boolean lz4) {
        this.delta = delta;
        this.lz4 = lz4;
    }

    /** What to tell {@link PageEncoder#delta} before the batch. */
    public boolean delta() {
        return delta;
    }

    /** Whether the batch is then to be compressed. */
    public boolean lz4() {
        return lz4;
    }
}
