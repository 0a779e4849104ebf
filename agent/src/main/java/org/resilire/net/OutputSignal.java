package org.resilire.net;

import java.util.concurrent.locks.LockSupport;

/**
 * Wakes the checkpoint thread when the guest has sent something that waits, or when an epoch has got further on its way. The network,
 * encoder and link threads tell; none of them waits, takes a lock or allocates. Nothing is lost: what is told while the checkpoint
 * thread is not parked lets its next park return at once.
 */
public final class OutputSignal implements HeldOutputListener {

    private volatile long heldEpoch = -1;
    private volatile Thread waiter;
    private volatile boolean heedsOutput;
    private volatile boolean awaitsProgress;

    /** The calling thread is the one to wake from here on. */
    public void attach() {
        waiter = Thread.currentThread();
    }

    /** Whether to wake it for output. Checkpoint thread. */
    public void heedOutput(final boolean heeds) {
        heedsOutput = heeds;
    }

    /** Whether to wake it for progress. Checkpoint thread. */
    public void awaitProgress(final boolean awaits) {
        awaitsProgress = awaits;
    }

    /** The latest epoch that has output waiting; -1 before the first. */
    public long heldEpoch() {
        return heldEpoch;
    }

    @Override
    public void onFirstOutputHeld(final long epoch) {
        // Before the flag is read, as its reader sets the flag before it looks here.
        heldEpoch = epoch;
        if (heedsOutput) {
            LockSupport.unpark(waiter);
        }
    }

    /** An epoch was encoded, or acknowledged. Any thread. */
    public void progressed() {
        if (awaitsProgress) {
            LockSupport.unpark(waiter);
        }
    }
}
