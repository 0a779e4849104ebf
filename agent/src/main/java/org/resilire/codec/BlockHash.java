package org.resilire.codec;

import java.lang.foreign.MemorySegment;
import org.resilire.wire.Checksum;

/** The hash by which blocks of the same content are found. It may collide: whoever uses it compares bytes. */
@FunctionalInterface
public interface BlockHash {

    /** XXH3. */
    BlockHash XXH3 = (segment, offset) -> Checksum.hash(segment, offset, PageRecord.BLOCK_BYTES);

    /** Hash of the block of 64 bytes at {@code offset}. */
    long hash(MemorySegment segment, long offset);
}
