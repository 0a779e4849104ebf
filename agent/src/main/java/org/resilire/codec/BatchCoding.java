package org.resilire.codec;

/** One of the ways in which the records of a batch may leave. */
public enum BatchCoding {
    /** Blocks as they are. */
    BLOCKS(false, BatchCompression.NONE),
    /** What changed within the blocks, where that is shorter. */
    LANES(true, BatchCompression.NONE),
    /** Blocks, compressed. */
    BLOCKS_LZ4(false, BatchCompression.LZ4),
    /** What changed within the blocks, compressed. */
    LANES_LZ4(true, BatchCompression.LZ4),
    /** What changed within the blocks, without zero bytes. */
    LANES_PACK(true, BatchCompression.PACK),
    /** What changed within the blocks, without zero bytes and compressed. */
    LANES_PACK_LZ4(true, BatchCompression.PACK_LZ4);

    private final boolean delta;
    private final BatchCompression compression;

    BatchCoding(final boolean delta, final BatchCompression compression) {
        this.delta = delta;
        this.compression = compression;
    }

    /** Whether records may say what changed within blocks. */
    public boolean delta() {
        return delta;
    }

    /** What is then done with the batch as a whole. */
    public BatchCompression compression() {
        return compression;
    }
}
