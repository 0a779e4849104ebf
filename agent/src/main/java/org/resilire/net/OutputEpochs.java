package org.resilire.net;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.resilire.linux.EventFd;

/**
 * What the checkpoint side tells the network thread: which epoch runs, which is safe, and what to do with output.
 *
 * <h2>The labelling rule</h2>
 *
 * Epoch <i>e</i> is what the guest does between two pauses, and its checkpoint is taken at the pause that ends it. A frame
 * sent in epoch <i>e</i> may leave once <i>e</i> is acknowledged, so its label must be at least <i>e</i>. The rule:
 *
 * <ul>
 *   <li>the checkpoint thread calls {@link #beginEpoch(long) beginEpoch(e)} while the guest is paused, <em>before</em> it
 *       resumes it into <i>e</i>;
 *   <li>the network thread first receives frames and <em>then</em> reads {@link #currentEpoch()}, and labels them with that.
 * </ul>
 *
 * Proof: the guest sends the frame after it was resumed into <i>e</i>; that was after {@code beginEpoch(e)}, whose store is
 * followed by a full fence and so is seen by every processor before the resume is; the frame is received after it was sent,
 * and the epoch is read with acquire after that. The read therefore yields <i>e</i> or, epochs never going back, a later
 * one. So a label may be too late (the frame waits for one epoch more) but never too early. The same holds for
 * {@link #changeMode(GateMode)}: a mode set before the guest is resumed holds for all that it sends from there on.
 *
 * <p>Threads: one thread begins epochs, one acknowledges them (they may be the same), any changes the mode, the network
 * thread reads. Epochs never go back as long as this object lives, also across a new backup: number on.
 */
public final class OutputEpochs implements AutoCloseable {

    /** Longs between two fields: 128 bytes, so that no two share a cache line or a prefetched pair of lines. */
    private static final int STRIDE = 16;

    private static final int CURRENT_EPOCH = STRIDE;
    private static final int ACKNOWLEDGED_EPOCH = 2 * STRIDE;
    private static final int LENGTH = 3 * STRIDE;

    private final AtomicLongArray fields = new AtomicLongArray(LENGTH);
    private final AtomicReference<ModeSetting> setting;
    private final EventFd wakeup = EventFd.create();
    private volatile GateMode modeWhileProtected = GateMode.HOLD;

    /** Starts in epoch 0, with nothing acknowledged (-1). */
    public OutputEpochs(final GateMode mode) {
        fields.set(ACKNOWLEDGED_EPOCH, -1);
        setting = new AtomicReference<>(new ModeSetting(mode, false));
    }

    /**
     * Begins an epoch: what the guest sends after this belongs to it or to a later one. Called while the guest is paused.
     *
     * @throws IllegalArgumentException if the epoch is not later than the current one
     */
    public void beginEpoch(final long epoch) {
        final long current = fields.getPlain(CURRENT_EPOCH);
        if (epoch <= current) {
            throw new IllegalArgumentException("epoch " + epoch + " cannot begin after epoch " + current
                    + ": output held under that number would be released too early");
        }
        // A volatile store: the fence after it puts the store before the system call that resumes the guest.
        fields.set(CURRENT_EPOCH, epoch);
    }

    /** The epoch that the guest runs in, or ran in if it is paused. */
    public long currentEpoch() {
        return fields.getAcquire(CURRENT_EPOCH);
    }

    /**
     * Lets the output of all epochs up to this one leave, and wakes the network thread. An epoch that was acknowledged
     * before is no news and changes nothing.
     *
     * @throws IllegalArgumentException if the epoch has not begun: an acknowledgement of what was never sent is a lie
     */
    public void acknowledge(final long epoch) {
        final long current = currentEpoch();
        if (epoch > current) {
            throw new IllegalArgumentException(
                    "epoch " + epoch + " was acknowledged but the latest is " + current + ": output stays held");
        }
        if (epoch > fields.getPlain(ACKNOWLEDGED_EPOCH)) {
            fields.setRelease(ACKNOWLEDGED_EPOCH, epoch);
            wakeup.signal();
        }
    }

    /** The latest acknowledged epoch; -1 before the first. */
    public long acknowledgedEpoch() {
        return fields.getAcquire(ACKNOWLEDGED_EPOCH);
    }

    /**
     * Changes what happens to output, and wakes the network thread.
     *
     * @return false if output is discarded for good, so that nothing was changed
     */
    public boolean changeMode(final GateMode mode) {
        final ModeSetting after = new ModeSetting(mode, false);
        ModeSetting before;
        do {
            before = setting.get();
            if (before.isForGood()) {
                return false;
            }
        } while (!setting.compareAndSet(before, after));
        wakeup.signal();
        return true;
    }

    /**
     * Discards what is held and all that the guest will ever send: another host runs it now. Final, so that a thread that
     * finds the backup lost a moment later cannot open the gate again (law 3).
     */
    public void discardForGood() {
        setting.set(new ModeSetting(GateMode.DISCARD, true));
        wakeup.signal();
    }

    /** What is to happen to output from the first checkpoint on: {@link GateMode#HOLD}, or one of input replay. */
    public void modeWhileProtected(final GateMode mode) {
        if (!mode.isProtecting()) {
            throw new IllegalArgumentException(mode + " protects nothing");
        }
        modeWhileProtected = mode;
    }

    public GateMode modeWhileProtected() {
        return modeWhileProtected;
    }

    public GateMode mode() {
        return setting.getAcquire().mode();
    }

    /** Becomes readable when something changed; the network thread waits for it and drains it. */
    EventFd wakeup() {
        return wakeup;
    }

    /** Call when no other thread uses this object any more. */
    @Override
    public void close() {
        wakeup.close();
    }

    /** A new one for each change, so that a compare-and-set cannot mistake one for another. */
    private record ModeSetting(GateMode mode, boolean isForGood) {}
}
