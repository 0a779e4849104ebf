package org.resilire.net;

/** Learns, on the network thread, that an epoch has output waiting: what a policy needs that ends epochs on output. */
@FunctionalInterface
public interface HeldOutputListener {

    /** Waits for the epoch's end as it comes. */
    HeldOutputListener NONE = epoch -> {};

    /** Called once for each epoch, when its first frame is held. Must not block. */
    void onFirstOutputHeld(long epoch);
}
