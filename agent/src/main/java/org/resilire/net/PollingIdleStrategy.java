package org.resilire.net;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.IdleStrategy;
import org.resilire.linux.EventFd;
import org.resilire.linux.Poller;

/**
 * Lets the network thread wait in {@code ppoll(2)} for a frame from either side or for a change of {@link OutputEpochs}: an
 * idle network costs no processor time, and a frame or an acknowledgement is handled within microseconds. Spins a little
 * first, for frames come in trains.
 *
 * <p>A wake-up is not lost: the event stays readable until it is drained, and it is drained before the next duty cycle reads
 * what changed. The wait is bounded all the same, so that the thread sees that it should end. Belongs to the network thread.
 */
public final class PollingIdleStrategy implements IdleStrategy, AutoCloseable {

    public static final int DEFAULT_SPINS = 20;
    public static final long DEFAULT_MAX_WAIT_NANOS = 10_000_000;

    /** While frames wait for a sink that would block; the poller tells when there is something to read, not room to write. */
    static final long BLOCKED_WAIT_NANOS = 100_000;

    private static final int WAKEUP_INDEX = 0;

    private final GuestNetwork network;
    private final EventFd wakeup;
    private final Poller poller;
    private final int spins;
    private final long maxWaitNanos;
    private int spinsDone;

    public PollingIdleStrategy(final GuestNetwork network, final OutputEpochs epochs) {
        this(network, epochs, DEFAULT_SPINS, DEFAULT_MAX_WAIT_NANOS);
    }

    /**
     * @param spins how often to look again before sleeping; 0 where processors are scarce
     * @param maxWaitNanos how long to sleep at most
     */
    public PollingIdleStrategy(
            final GuestNetwork network, final OutputEpochs epochs, final int spins, final long maxWaitNanos) {
        this.network = network;
        this.spins = spins;
        this.maxWaitNanos = maxWaitNanos;
        wakeup = epochs.wakeup();
        poller = network.uplinkDescriptor() == Uplink.NO_DESCRIPTOR
                ? new Poller(wakeup.number(), network.guestDescriptor())
                : new Poller(wakeup.number(), network.guestDescriptor(), network.uplinkDescriptor());
    }

    @Override
    public void idle(final int workCount) {
        if (workCount > 0) {
            reset();
        } else {
            idle();
        }
    }

    @Override
    public void idle() {
        if (network.isInputStalled()) {
            // The uplink is readable all the time.
            LockSupport.parkNanos(BLOCKED_WAIT_NANOS);
            return;
        }
        if (spinsDone < spins) {
            spinsDone++;
            Thread.onSpinWait();
            return;
        }
        final long waitNanos = network.isBlocked() ? Math.min(BLOCKED_WAIT_NANOS, maxWaitNanos) : maxWaitNanos;
        if (poller.poll(waitNanos) > 0 && poller.isReady(WAKEUP_INDEX)) {
            wakeup.drain();
        }
    }

    @Override
    public void reset() {
        spinsDone = 0;
    }

    @Override
    public String alias() {
        return "polling";
    }

    /** Call when the network thread has ended. */
    @Override
    public void close() {
        poller.close();
    }
}
