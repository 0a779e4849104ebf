package org.resilire.primary;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.resilire.net.GateMode;
import org.resilire.net.InboundLog;
import org.resilire.net.OutputEpochs;

/**
 * Sets input replay aside while a guest is moved as planned: it goes on where it stood, so there is nothing to replay. What it sends waits for
 * checkpoints meanwhile, as in any other mode. A failover before the first of these still replays all that had left by then.
 *
 * <p>Checkpoint thread.
 */
final class ReplaySuspension {

    /** For the network thread to finish the round in which it may still have let something out, and to tell of it. */
    private static final long SETTLING_NANOS = 2_000_000L;

    /** For the backup to have all of the log: as a rule it has, since output waits for it. */
    private static final long DRAIN_LIMIT_NANOS = 200_000_000L;

    private static final long POLL_NANOS = 100_000L;

    private final OutputEpochs outputEpochs;
    private final InboundLog inboundLog;
    private final NanoClock clock;

    /** What is to be taken up again; null while nothing is set aside. */
    private GateMode replay;

    ReplaySuspension(final OutputEpochs outputEpochs, final InboundLog inboundLog, final NanoClock clock) {
        this.outputEpochs = outputEpochs;
        this.inboundLog = inboundLog;
        this.clock = clock;
    }

    /**
     * From here on output waits for checkpoints; the next one has no input to replay.
     *
     * @return false if input is not replayed anyway
     */
    boolean begin() {
        final GateMode mode = outputEpochs.modeWhileProtected();
        if (!mode.isReplay()) {
            return false;
        }
        replay = mode;
        outputEpochs.modeWhileProtected(GateMode.HOLD);
        outputEpochs.changeMode(GateMode.HOLD);
        final long startNanos = clock.nanoTime();
        long passedNanos = 0;
        while (passedNanos < SETTLING_NANOS || (inboundLog.lagBytes() > 0 && passedNanos < DRAIN_LIMIT_NANOS)) {
            LockSupport.parkNanos(POLL_NANOS);
            passedNanos = clock.nanoTime() - startNanos;
        }
        inboundLog.suspend();
        return true;
    }

    /** The guest stays: from the next checkpoint on its input is logged again, in this session or another. */
    void end() {
        if (replay != null) {
            outputEpochs.modeWhileProtected(replay);
            inboundLog.goOn();
            replay = null;
        }
    }
}
