package org.resilire.codec;

/**
 * How captured blocks are encoded.
 *
 * @param codec how pages are made smaller
 * @param sharing whether a block that the backup holds already, somewhere else, is referred to instead of sent (FGBI, OPODIS
 *     2011)
 */
public record EncoderOptions(PageCodec codec, boolean sharing) {

    /** Whether the encoder must know what the backup holds, and keeps that memory up to date. */
    public boolean needsSentMemory() {
        return codec.delta() || sharing;
    }

    /** Whether captured records travel as they are. */
    public boolean isPlain() {
        return codec == PageCodec.RAW && !sharing;
    }
}
