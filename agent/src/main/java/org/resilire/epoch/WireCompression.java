package org.resilire.epoch;

import org.resilire.codec.BatchCompression;
import org.resilire.wire.sbe.Compression;

/** How a batch's compression is told on the wire. */
final class WireCompression {

    /** Kept: {@code values()} makes an array each time. */
    private static final BatchCompression[] ALL = BatchCompression.values();

    private WireCompression() {}

    static Compression of(final BatchCompression compression) {
        return switch (compression) {
            case NONE -> Compression.NONE;
            case LZ4 -> Compression.LZ4;
            case PACK -> Compression.PACK;
            case PACK_LZ4 -> Compression.PACK_LZ4;
        };
    }

    /** What a peer said, or null if there is no such compression. */
    static BatchCompression of(final short wire) {
        for (final BatchCompression compression : ALL) {
            if (of(compression).value() == wire) {
                return compression;
            }
        }
        return null;
    }
}
