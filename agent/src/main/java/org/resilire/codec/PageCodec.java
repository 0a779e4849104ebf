package org.resilire.codec;

/** How pages are made smaller, as the user chose. */
public enum PageCodec {
    /** Whatever makes batches leave soonest, by what the CPU and the link are measured to give. */
    AUTO("auto"),
    /** Changed blocks as they are. */
    RAW("raw"),
    /** What changed within the blocks, where that is shorter. */
    DELTA("delta"),
    /** Changed blocks, every batch compressed. */
    LZ4("lz4"),
    /** Both. */
    DELTA_LZ4("delta+lz4");

    private final String text;

    PageCodec(final String text) {
        this.text = text;
    }

    /** The name that users write. */
    public String text() {
        return text;
    }

    /** Whether records may say what changed within a block. */
    public boolean delta() {
        return this == AUTO || this == DELTA || this == DELTA_LZ4;
    }

    /** Whether batches may be compressed. */
    public boolean lz4() {
        return this == AUTO || this == LZ4 || this == DELTA_LZ4;
    }

    /**
     * The codec of that name.
     *
     * @throws IllegalArgumentException in one line, if there is none
     */
    public static PageCodec of(final String text) {
        for (final PageCodec codec : values()) {
            if (codec.text.equals(text)) {
                return codec;
            }
        }
        throw new IllegalArgumentException("'" + text + "' is not a codec: auto, raw, delta, lz4 and delta+lz4 are");
    }
}
