package org.resilire.net;

import java.lang.foreign.MemorySegment;

/** Sees each frame that arrives for the guest, on the network thread, before the guest does. */
@FunctionalInterface
public interface InboundFrameListener {

    /** Looks at nothing. */
    InboundFrameListener NONE = (frames, offset, lengthBytes) -> {};

    /**
     * One frame, in order of arrival. It may still be dropped if the guest does not take it, as a NIC would drop it. The
     * memory changes after the call; what is slow here delays the guest's network.
     */
    void onInboundFrame(MemorySegment frames, long offset, int lengthBytes);
}
