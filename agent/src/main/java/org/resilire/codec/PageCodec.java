package org.resilire.codec;

import java.util.Arrays;
import java.util.stream.Collectors;

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
    /** Both: XOR, runs of unchanged words left out, LZ4, as Remus' compression is described. */
    DELTA_LZ4("delta+lz4"),
    /** What changed within the blocks, every batch without its zero bytes. */
    DELTA_PACK("delta+pack"),
    /** All three: the fewest bytes. */
    DELTA_PACK_LZ4("delta+pack+lz4");

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
        return this == AUTO || this == DELTA || this == DELTA_LZ4 || packs();
    }

    /** Whether batches may be compressed by LZ4. */
    public boolean lz4() {
        return this == AUTO || this == LZ4 || this == DELTA_LZ4 || this == DELTA_PACK_LZ4;
    }

    /** Whether batches always travel without their zero bytes. */
    boolean packs() {
        return this == DELTA_PACK || this == DELTA_PACK_LZ4;
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
        throw new IllegalArgumentException("'" + text + "' is not a codec: "
                + Arrays.stream(values()).map(PageCodec::text).collect(Collectors.joining(", ")) + " are");
    }
}
