package org.resilire.epoch;

import org.resilire.codec.EncoderOptions;
import org.resilire.codec.PageCodec;
import org.resilire.fgbi.BlockSize;

/**
 * What of a written page travels, and how. (FGBI with block sharing and compression, OPODIS 2011; Remus, NSDI 2008, as the
 * baseline.)
 *
 * @param identification how changed blocks are told
 * @param blockSize the unit of change; 64 B, and of no account, if whole pages travel
 * @param codec how blocks are made smaller
 * @param sharing whether blocks that the backup has elsewhere are referred to
 */
public record ReplicationMode(Identification identification, BlockSize blockSize, PageCodec codec, boolean sharing) {

    /** How blocks that changed are told from those that did not. */
    public enum Identification {
        /** Not at all: every written page travels whole. */
        PAGE("page"),
        /** By comparing with a copy of what was sent. Exact. */
        SHADOW("shadow"),
        /** By comparing hashes. */
        HASH("hash");

        private final String text;

        Identification(final String text) {
            this.text = text;
        }

        /** The name that users write. */
        public String text() {
            return text;
        }
    }

    /**
     * Refuses what cannot be.
     *
     * @throws IllegalArgumentException in one line that says why and what could be instead
     */
    public ReplicationMode {
        final boolean makesDeltas = new EncoderOptions(codec, false).needsSentMemory();
        final boolean keepsSent =
                identification == Identification.SHADOW || (identification == Identification.PAGE && makesDeltas);
        if (sharing && !keepsSent) {
            throw new IllegalArgumentException("--sharing on confirms blocks by what was sent, which is not kept with "
                    + (identification == Identification.HASH
                            ? "--identify hash: use --identify shadow, or --sharing off"
                            : "whole pages and --codec " + codec.text() + ": use --codec delta, or --sharing off"));
        }
        if (identification == Identification.HASH && makesDeltas && codec != PageCodec.AUTO) {
            throw new IllegalArgumentException(
                    "--codec " + codec.text()
                            + " needs what was sent before, which --identify hash does not keep: use --codec lz4, or --identify shadow");
        }
        if (identification == Identification.PAGE && blockSize != BlockSize.B64) {
            throw new IllegalArgumentException(
                    "--block is of no use where whole pages travel: leave it out, or use --mode fgbi");
        }
    }

    /** Changed blocks of 64 B by a shadow, shared where possible, encoded by what pays. */
    public static ReplicationMode fgbi() {
        return new ReplicationMode(Identification.SHADOW, BlockSize.B64, PageCodec.AUTO, true);
    }

    /** Written pages, whole and as they are. */
    public static ReplicationMode remus() {
        return new ReplicationMode(Identification.PAGE, BlockSize.B64, PageCodec.RAW, false);
    }

    /** What the encoder of memory is to do; {@link PageCodec#AUTO} without old versions is about compression alone. */
    EncoderOptions pageOptions() {
        final EncoderOptions options = new EncoderOptions(codec, sharing);
        return identification == Identification.HASH ? options.withoutSentMemory() : options;
    }

    /** What the encoder of the device state is to do: it keeps what was sent unless everything is to be whole and as it is. */
    EncoderOptions deviceOptions() {
        return new EncoderOptions(codec, false);
    }

    /** Whether a copy of what was sent is kept that the encoder brings up to date. */
    boolean keepsSentMemory() {
        return pageOptions().needsSentMemory()
                || (identification == Identification.SHADOW && blockSize != BlockSize.B64);
    }

    /** In words, for status and logs. */
    public String description() {
        final String what = switch (identification) {
            case PAGE -> "remus: whole pages";
            case SHADOW -> "fgbi: blocks of " + blockSize.bytes() + " B that differ from a shadow";
            case HASH -> "fgbi: blocks of " + blockSize.bytes() + " B whose hash changed";
        };
        return what + ", codec " + codec.text() + ", sharing " + (sharing ? "on" : "off");
    }
}
