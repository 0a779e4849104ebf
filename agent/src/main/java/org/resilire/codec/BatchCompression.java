package org.resilire.codec;

/** What is done with a batch of encoded records as a whole; in this order if it is both. */
public enum BatchCompression {
    NONE(false, false),
    /** Zero bytes are left out: fast, and most of what can be had from small changes. */
    PACK(true, false),
    LZ4(false, true),
    PACK_LZ4(true, true);

    private final boolean pack;
    private final boolean lz4;

    BatchCompression(final boolean pack, final boolean lz4) {
        this.pack = pack;
        this.lz4 = lz4;
    }

    /** Whether zero bytes are left out. */
    public boolean pack() {
        return pack;
    }

    public boolean lz4() {
        return lz4;
    }

    /** One of these that does so much. */
    public static BatchCompression of(final boolean pack, final boolean lz4) {
        if (pack) {
            return lz4 ? PACK_LZ4 : PACK;
        }
        return lz4 ? LZ4 : NONE;
    }
}
