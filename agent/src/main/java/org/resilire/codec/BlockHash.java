package org.resilire.codec;

import java.lang.foreign.MemorySegment;

/** The hash by which blocks of the same content are found. It may collide: whoever uses it compares bytes. */
@FunctionalInterface
interface BlockHash {

    /** Hash of the block of 64 bytes at {@code offset}. */
    long hash(MemorySegment segment, long offset);
}
