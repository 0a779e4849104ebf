package org.resilire.fgbi;

import org.resilire.codec.PageRecord;

/** How finely changes within a page are told apart. Masks are of 64 B blocks always: a larger block is marked as a whole. */
public enum BlockSize {
    B64(64),
    B128(128),
    B256(256);

    /** Lowest 64 B block of each pair, and of each four. */
    private static final long EVERY_SECOND = 0x5555_5555_5555_5555L;

    private static final long EVERY_FOURTH = 0x1111_1111_1111_1111L;

    private final int bytes;

    BlockSize(final int bytes) {
        this.bytes = bytes;
    }

    /**
     * By length.
     *
     * @throws IllegalArgumentException if there is none of that length
     */
    public static BlockSize of(final int bytes) {
        for (final BlockSize size : values()) {
            if (size.bytes == bytes) {
                return size;
            }
        }
        throw new IllegalArgumentException("a block has 64, 128 or 256 bytes, not " + bytes);
    }

    public int bytes() {
        return bytes;
    }

    /** Blocks of this size in a page. */
    public int perPage() {
        return PageRecord.PAGE_BYTES / bytes;
    }

    /** Marks all of every block of this size of which any part is marked. */
    public long widen(final long mask) {
        return switch (this) {
            case B64 -> mask;
            case B128 -> ((mask | mask >>> 1) & EVERY_SECOND) * 0b11;
            case B256 -> ((mask | mask >>> 1 | mask >>> 2 | mask >>> 3) & EVERY_FOURTH) * 0b1111;
        };
    }
}
