package org.resilire.primary;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.resilire.epoch.EpochPolicy;
import org.resilire.epoch.PaceEstimate;
import org.resilire.epoch.PolicySettings;
import org.resilire.net.OutputEpochs;
import org.resilire.net.OutputSignal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the checkpoint thread when the next checkpoint is due, by a policy that may be changed while it runs, and feeds that policy
 * with what checkpoints took. Checkpoint thread only, but for {@link #change} and {@link #settings}; allocates nothing between two
 * changes.
 */
final class EpochPace {

    private static final Logger LOG = LoggerFactory.getLogger(EpochPace.class);

    /** Whoever ends a session or wants a pause is heard within this time. */
    private static final long LONGEST_PARK_NANOS = 2_000_000;

    /** While an epoch is under way that the next must wait for; a signal tells of most of that. */
    private static final long PROGRESS_PARK_NANOS = 50_000;

    private static final long NOT_DUE = Long.MIN_VALUE;

    private final OutputSignal signal;
    private final OutputEpochs outputEpochs;
    private final CommitClock commitClock;
    private final PrimaryMetrics metrics;
    private final PaceEstimate estimate = new PaceEstimate();
    private final AtomicReference<PolicySettings> wanted;

    private PolicySettings current;
    private EpochPolicy policy;
    private long lastStartNanos;
    private long nextStartNanos;
    private long dueNanos = NOT_DUE;
    private long takenEpoch;
    private long verifiedEpoch = -1;

    EpochPace(
            final PolicySettings settings,
            final OutputSignal signal,
            final OutputEpochs outputEpochs,
            final CommitClock commitClock,
            final PrimaryMetrics metrics) {
        this.wanted = new AtomicReference<>(settings);
        this.signal = signal;
        this.outputEpochs = outputEpochs;
        this.commitClock = commitClock;
        this.metrics = metrics;
        follow(settings);
    }

    /** From the next epoch on. Any thread. */
    void change(final PolicySettings settings) {
        wanted.set(settings);
    }

    /** The latest that was wanted. Any thread. */
    PolicySettings settings() {
        return wanted.get();
    }

    String description() {
        return policy.description();
    }

    private void follow(final PolicySettings settings) {
        current = settings;
        policy = settings.newPolicy();
        dueNanos = NOT_DUE;
        signal.heedOutput(policy.heedsOutput());
        metrics.policy(policy.description());
        metrics.pace(policy, estimate);
    }

    /** The session's first checkpoint has been acknowledged; the calling thread makes those that follow. */
    void beginSession(final long startNanos, final long epoch) {
        signal.attach();
        estimate.beginSession(startNanos);
        lastStartNanos = startNanos;
        dueNanos = NOT_DUE;
        takenEpoch = epoch;
    }

    /**
     * Whether the next checkpoint is due.
     *
     * @param keptUp whether the backup and the encoder are far enough for another
     */
    boolean isDue(final long nowNanos, final boolean keptUp) {
        final PolicySettings wish = wanted.get();
        if (!wish.equals(current)) {
            follow(wish);
            LOG.info("checkpoints from now on: {}", policy.description());
        }
        nextStartNanos = policy.nextStartNanos(lastStartNanos, signal.heldEpoch() >= outputEpochs.currentEpoch());
        if (nowNanos - nextStartNanos < 0) {
            return false;
        }
        if (dueNanos == NOT_DUE) {
            // What the guest has sent came at some time since this was asked last, which is now as good as.
            dueNanos = policy.heedsOutput() ? nowNanos : nextStartNanos;
        }
        return keptUp;
    }

    /**
     * Waits until {@link #isDue} may have something else to say, or progress was made; not for long.
     *
     * @param aheadNanos until something is to be done ahead of the checkpoint
     */
    void park(final long nowNanos, final boolean keptUp, final long aheadNanos) {
        signal.awaitProgress(!keptUp);
        final long dueInNanos = nextStartNanos - nowNanos;
        if (dueInNanos > 0) {
            LockSupport.parkNanos(Math.min(Math.min(dueInNanos, aheadNanos), LONGEST_PARK_NANOS));
        } else {
            LockSupport.parkNanos(PROGRESS_PARK_NANOS);
        }
    }

    /** How long after it was due a checkpoint begins that begins now. */
    long latenessNanos(final long nowNanos) {
        return dueNanos == NOT_DUE ? 0 : nowNanos - dueNanos;
    }

    /** From checkpoint to checkpoint, as planned. */
    long periodNanos() {
        return policy.periodNanos();
    }

    /** A checkpoint was made with hashes of all memory: no measure of any other. */
    void onVerification(final long startNanos, final long epoch, final long acknowledgedEpoch) {
        lastStartNanos = startNanos;
        dueNanos = NOT_DUE;
        takeCommits(acknowledgedEpoch);
        verifiedEpoch = epoch;
        estimate.onOtherCheckpoint(startNanos);
    }

    /**
     * A checkpoint was made.
     *
     * @param acknowledgedEpoch the latest that is safe
     */
    void onCheckpoint(final long startNanos, final long pauseNanos, final long acknowledgedEpoch) {
        lastStartNanos = startNanos;
        dueNanos = NOT_DUE;
        takeCommits(acknowledgedEpoch);
        estimate.onCheckpoint(startNanos, pauseNanos);
        policy.adjust(estimate);
        metrics.pace(policy, estimate);
    }

    private void takeCommits(final long acknowledgedEpoch) {
        for (long epoch = takenEpoch + 1; epoch <= acknowledgedEpoch; epoch++) {
            if (epoch != verifiedEpoch) {
                estimate.onCommitted(commitClock.commitNanos(epoch));
            }
        }
        takenEpoch = Math.max(takenEpoch, acknowledgedEpoch);
    }
}
