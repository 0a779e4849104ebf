package org.resilire.net;

import java.lang.foreign.MemorySegment;

/** Takes Ethernet frames one by one, and may ask the giver to wait. */
@FunctionalInterface
public interface FrameSink {

    /**
     * Takes one frame. The memory is the caller's and changes after the call.
     *
     * @param offset where the frame begins in {@code frames}, in bytes
     * @return false when nothing was taken because the sink would block: offer the same frame again later
     */
    boolean write(MemorySegment frames, long offset, int lengthBytes);
}
