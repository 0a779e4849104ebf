package org.resilire.codec;

/**
 * How captured blocks are encoded.
 *
 * @param codec how pages are made smaller
 * @param delta whether records may say what changed within a block; for that the encoder needs the memory that was sent
 * @param sharing whether a block that the backup holds already, somewhere else, is referred to instead of sent (FGBI, OPODIS
 *     2011); that needs the memory that was sent, too
 */
public record EncoderOptions(PageCodec codec, boolean delta, boolean sharing) {

    /** All that the codec is about. */
    public EncoderOptions(final PageCodec codec, final boolean sharing) {
        this(codec, codec.delta(), sharing);
    }

    /**
     * The same where nobody knows what was sent.
     *
     * @throws IllegalArgumentException in one line, if that was asked for by name
     */
    public EncoderOptions withoutSentMemory() {
        if (sharing) {
            throw new IllegalArgumentException("blocks can be shared only where a copy of what was sent is kept");
        }
        if (delta && codec != PageCodec.AUTO) {
            throw new IllegalArgumentException(
                    "codec " + codec.text() + " needs a copy of what was sent, and none is kept");
        }
        return new EncoderOptions(codec, false, false);
    }

    /** Whether the encoder must know what the backup holds, and keeps that memory up to date. */
    public boolean needsSentMemory() {
        return delta || sharing;
    }

    /** Whether captured records travel as they are. */
    public boolean isPlain() {
        return codec == PageCodec.RAW && !needsSentMemory();
    }
}
