package org.resilire.net;

import java.lang.foreign.MemorySegment;

/**
 * Stands between a guest that was taken over and the world: gives the guest again what it had been given after its checkpoint, keeps
 * from the world what it has, and changes numbers on which the two no longer agree. On the network thread.
 */
public interface FrameReplay {

    /**
     * A frame of the guest's, which may be changed where it stands.
     *
     * @return false if it must not leave
     */
    boolean onOutbound(MemorySegment frames, long offset, int lengthBytes);

    /**
     * A frame for the guest, which may be changed where it stands.
     *
     * @return false if it was kept, and is handed over by {@link #deliverDue} in its turn
     */
    boolean onInbound(MemorySegment frames, long offset, int lengthBytes);

    /** Gives the guest what its turn it is, until the sink would block; returns the number of frames dealt with. */
    int deliverDue(FrameSink guest);

    /** True while something waits: look again soon. */
    boolean isWaiting();
}
