package org.resilire.epoch;

import java.util.stream.Stream;
import org.resilire.codec.PageCodec;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;

/** Modes to test: each way to identify, to encode and to share at least once, and those that are most unlike each other. */
public final class Modes {

    private Modes() {}

    public static Stream<ReplicationMode> all() {
        return Stream.of(
                ReplicationMode.fgbi(),
                ReplicationMode.remus(),
                of(Identification.PAGE, 64, PageCodec.LZ4, false),
                of(Identification.PAGE, 64, PageCodec.DELTA_LZ4, false),
                of(Identification.PAGE, 64, PageCodec.DELTA, true),
                of(Identification.SHADOW, 64, PageCodec.RAW, false),
                of(Identification.SHADOW, 64, PageCodec.RAW, true),
                of(Identification.SHADOW, 64, PageCodec.DELTA, false),
                of(Identification.SHADOW, 64, PageCodec.LZ4, false),
                of(Identification.SHADOW, 64, PageCodec.DELTA_LZ4, true),
                of(Identification.SHADOW, 64, PageCodec.DELTA_PACK, false),
                of(Identification.SHADOW, 64, PageCodec.DELTA_PACK_LZ4, true),
                of(Identification.SHADOW, 128, PageCodec.RAW, false),
                of(Identification.SHADOW, 128, PageCodec.AUTO, true),
                of(Identification.SHADOW, 256, PageCodec.DELTA, false),
                of(Identification.HASH, 64, PageCodec.AUTO, false),
                of(Identification.HASH, 128, PageCodec.LZ4, false),
                of(Identification.HASH, 256, PageCodec.RAW, false));
    }

    private static ReplicationMode of(
            final Identification identification, final int blockBytes, final PageCodec codec, final boolean sharing) {
        return new ReplicationMode(identification, BlockSize.of(blockBytes), codec, sharing);
    }
}
