package org.resilire.net;

import org.agrona.concurrent.NanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes before each pause how much of the input log its checkpoint will have seen, and begins to log where input is replayed. What is on its
 * way to the guest when that begins is in no log. A checkpoint that has not seen it would, with all that is logged since, not make the
 * guest what it is: so logging begins for good with the first checkpoint before which the guest has taken everything older. Until then
 * output waits for checkpoints. A guest that takes nothing, as one that is paused, sends nothing either.
 *
 * <p>Checkpoint thread; waits a little, while the guest runs, and only until logging has begun.
 */
final class InputBoundary {

    private static final Logger LOG = LoggerFactory.getLogger(InputBoundary.class);
    private static final long TAKEN_LIMIT_NANOS = 20_000_000L;

    private final GuestNetwork network;
    private final InboundLog log;
    private final NanoClock clock;
    private final Runnable pause;
    private boolean isPutOff;

    /** @param pause lets some time pass between two looks at what the guest has taken */
    InputBoundary(final GuestNetwork network, final InboundLog log, final NanoClock clock, final Runnable pause) {
        this.network = network;
        this.log = log;
        this.clock = clock;
        this.pause = pause;
    }

    /** The guest is about to be paused at the end of this epoch. */
    void mark(final long epoch) {
        if (log.begin()) {
            begin();
        }
        network.noteConsumedInput();
        log.markBoundary(epoch);
    }

    private void begin() {
        final boolean wasPutOff = isPutOff;
        isPutOff = !hasGuestTakenWhatIsOlder();
        if (isPutOff) {
            log.putOff();
        }
        if (isPutOff && !wasPutOff) {
            LOG.warn("the guest does not take what arrives for it: what it sends waits for checkpoints until it does");
        } else if (wasPutOff && !isPutOff) {
            LOG.info("the guest takes what arrives for it again: input is logged from here on");
        }
    }

    private boolean hasGuestTakenWhatIsOlder() {
        final long mark = network.markArrived();
        final long startNanos = clock.nanoTime();
        while (!network.hasGuestTaken(mark)) {
            if (clock.nanoTime() - startNanos > TAKEN_LIMIT_NANOS) {
                return false;
            }
            pause.run();
        }
        return true;
    }
}
