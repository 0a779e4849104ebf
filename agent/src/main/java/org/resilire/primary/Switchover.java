package org.resilire.primary;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;
import org.resilire.epoch.CaptureAbortedException;
import org.resilire.epoch.EpochPipeline;
import org.resilire.guest.Guest;
import org.resilire.guest.GuestException;
import org.resilire.net.OutputEpochs;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The primary's part of a planned move of the guest. Never do both hosts run it (law 3); whose guest it is at each moment:
 *
 * <pre>
 *    primary A, generation g                                      backup B
 *  1 last checkpoint, epoch n; the guest stays paused ───────────► commits n, acknowledges: A lets out the output of n
 *  2 PrepareSwitchover(n) ───────────────────────────────────────► standby loads the device state, stays paused;
 *                                                                 its disks are brought to n meanwhile
 *                                                    ◄──────────── LOADED, or FAILED: A resumes the guest, all is as before
 *  3 the guest is stopped for good: nothing of A resumes it
 *    CommitSwitchover(g + 1) ────────────────────────────────────► writes g + 1 to disk, opens disks and network, resumes
 *                                                    ◄──────────── RUNNING, or FAILED after three standbys: A takes the guest back
 *  4 forgets the guest
 * </pre>
 *
 * Up to 3 the guest is A's. If the session ends, or B does not answer in time, A resumes it, and the session is lost as any other is:
 * B never starts without CommitSwitchover of the open session, except by an ordinary takeover, which fences A first, and until that is
 * out of the question A's output is held. If A dies, its guard resumes the guest, and B takes over in the ordinary way.
 *
 * <p>From 3 on the guest is B's, whether or not B has heard. An A that dies leaves it paused, and no agent attaches to a paused guest
 * that no dead agent has marked. An A that loses the session asks B by greeting it again with generation g, for as long as it takes:
 * a B that took the commit refuses that (superseded), also after a restart, since g + 1 is on its disk before the guest runs; a B that did
 * not take it welcomes A, which makes every commit of the earlier session void, and A takes the guest back. The two answers cannot be
 * mixed up: one thread of B judges greetings and carries out commits, one after the other. B, for its part, may still take over in
 * the ordinary way while it has not heard of 3.
 *
 * <p>Disks: A's are not written to from 1 on, and are what they were at n, whoever gets the guest. When A has heard RUNNING and its QEMU
 * is gone, it makes them durable and calls them what B does ({@link org.resilire.disk.PrimaryDisk#leave}): as B's replica they need but
 * what changes from then on. If that does not come about, they are compared with B's as a whole.
 *
 * <p>What is left: if B dies between answering LOADED and running the guest, and stays dead, the guest stands still on A until B is back
 * or an operator resumes it there ({@code cont} over QMP), who must know that B is gone. A third party would be needed to do better.
 *
 * <p>Used by the checkpoint thread.
 */
final class Switchover {

    /** Whose guest it is at the end. */
    enum Outcome {
        /** The backup has confirmed that it runs there. */
        MOVED,
        /** It runs on here, and the session goes on. */
        STAYED,
        /** It runs on here; the session is over. */
        TAKEN_BACK,
        /** It does not run here: the backup runs it, or this agent was told to end before anybody knew. */
        CEDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(Switchover.class);

    /** Longer than a standby may take to load. */
    private static final long PREPARE_LIMIT_NANOS = 10_000_000_000L;

    /** What the backup's disks lack at the last checkpoint, the guest waits for: it had better be little. Some signs of life. */
    private static final long DISK_LIMIT_NANOS = 300_000_000L;

    /** For a flush to end that the last output here waits for, and for the network to take that; the guest runs elsewhere meanwhile. */
    private static final long LET_OUT_LIMIT_NANOS = 1_000_000_000L;

    private static final long LET_OUT_NANOS = 2_000_000L;

    private static final long POLL_NANOS = 50_000L;
    private static final long GREET_AGAIN_NANOS = 500_000_000L;

    private final PrimaryContext context;
    private final Guest guest;
    private final PrimaryLink link;
    private final PrimarySession session;
    private final EpochPipeline pipeline;
    private final Checkpointer checkpointer;
    private final CommitClock commitClock;
    private final OutputEpochs outputEpochs;
    private final Runnable greetAgain;
    private final BooleanSupplier stopping;
    private final NanoClock clock;
    private String explanation = "";
    private long movedAtNanos;

    /** @param greetAgain ends the session, if there is one, and asks the same backup for another */
    Switchover(
            final PrimaryContext context,
            final PrimaryLink link,
            final PrimarySession session,
            final EpochPipeline pipeline,
            final Checkpointer checkpointer,
            final CommitClock commitClock,
            final Runnable greetAgain,
            final BooleanSupplier stopping) {
        this.context = context;
        this.guest = context.guest();
        this.link = link;
        this.session = session;
        this.pipeline = pipeline;
        this.checkpointer = checkpointer;
        this.commitClock = commitClock;
        this.outputEpochs = context.outputEpochs();
        this.greetAgain = greetAgain;
        this.stopping = stopping;
        this.clock = context.clock();
    }

    /** Why the last move did not come about, or what is not known. */
    String explanation() {
        return explanation;
    }

    /** When this side heard that the guest runs there. */
    long movedAtNanos() {
        return movedAtNanos;
    }

    /**
     * Moves the guest; a session is open and the guest is protected.
     *
     * @throws CaptureAbortedException if the session ended before the guest was given away: it runs on here
     * @throws GuestException if the guest did not do as asked
     */
    Outcome run() {
        SwitchoverRehearsal.run();
        // The last checkpoint is not to wait behind others.
        final long startNanos = clock.nanoTime();
        awaitAcknowledged(outputEpochs.currentEpoch() - 1, startNanos);
        awaitEncoded(startNanos);
        awaitDisks();
        final long epoch = outputEpochs.currentEpoch();
        commitClock.started(epoch, clock.nanoTime());
        checkpointer.lastCheckpoint(epoch);
        final PrimarySession.SwitchoverReply loaded;
        try {
            awaitAcknowledged(epoch, clock.nanoTime());
            link.prepareSwitchover(epoch);
            loaded = awaitLoaded(clock.nanoTime());
        } catch (final RuntimeException e) {
            explanation = "the backup did not get ready: " + reason(e) + "; the guest runs on here";
            guest.resume();
            throw e;
        }
        if (loaded.stage() == SwitchoverStage.FAILED) {
            explanation = "the backup could not load the guest's state: " + loaded.text() + "; the guest runs on here";
            guest.resume();
            return Outcome.STAYED;
        }
        return give(context.record().generation() + 1);
    }

    private String reason(final RuntimeException e) {
        return e instanceof CaptureAbortedException
                ? session.phase() == PrimarySession.Phase.LOST ? session.lossReason() : "it took too long"
                : String.valueOf(e.getMessage());
    }

    /** From here on it is the backup that says whether the guest runs here again. */
    private Outcome give(final long generation) {
        guest.stopForGood();
        link.commitSwitchover(generation);
        while (!stopping.getAsBoolean()) {
            final PrimarySession.SwitchoverReply reply = session.switchoverReply();
            if (reply != null && reply.stage() == SwitchoverStage.RUNNING) {
                movedAtNanos = clock.nanoTime();
                context.record().adoptGeneration(generation);
                awaitLetOut();
                return Outcome.MOVED;
            }
            if (reply != null && reply.stage() == SwitchoverStage.FAILED) {
                context.record().adoptGeneration(generation);
                return takeBack("the backup could not let the guest run: " + reply.text());
            }
            if (session.phase() != PrimarySession.Phase.OPEN) {
                return askWhoseItIs();
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return endUndecided();
    }

    private void awaitLetOut() {
        final long lastEpoch = outputEpochs.currentEpoch() - 1;
        while (outputEpochs.acknowledgedEpoch() < lastEpoch
                && !stopping.getAsBoolean()
                && clock.nanoTime() - movedAtNanos < LET_OUT_LIMIT_NANOS) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        LockSupport.parkNanos(LET_OUT_NANOS);
    }

    private Outcome askWhoseItIs() {
        LOG.error("the link failed while the guest was being moved; asking the backup whether it runs it");
        greetAgain.run();
        while (!stopping.getAsBoolean()) {
            switch (session.phase()) {
                case OPEN -> {
                    return takeBack("the backup was lost before it ran the guest");
                }
                case REFUSED -> {
                    if (session.refusal().reason() == RefusalReason.SUPERSEDED) {
                        explanation = "the backup runs the guest, but the link failed meanwhile: "
                                + session.refusal().text();
                        return Outcome.CEDED;
                    }
                    awaitNextGreeting();
                    greetAgain.run();
                }
                case LOST, CLOSED -> greetAgain.run();
                case GREETING -> LockSupport.parkNanos(POLL_NANOS);
            }
        }
        return endUndecided();
    }

    private void awaitNextGreeting() {
        final long atNanos = clock.nanoTime() + GREET_AGAIN_NANOS;
        while (!stopping.getAsBoolean() && clock.nanoTime() - atNanos < 0) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private Outcome takeBack(final String why) {
        explanation = why + "; the guest runs on here";
        guest.takeBack();
        guest.resume();
        return Outcome.TAKEN_BACK;
    }

    private Outcome endUndecided() {
        explanation = "this agent ended before the backup said whether it runs the guest, which stays paused here;"
                + " if it does not run there, send it 'cont' over QMP";
        LOG.error(explanation);
        return Outcome.CEDED;
    }

    private void awaitAcknowledged(final long epoch, final long sinceNanos) {
        while (session.acknowledgedEpoch() < epoch) {
            check(sinceNanos);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** No longer than output can be kept waiting: the backup knows how long it lets the guest stand still for the rest. */
    private void awaitDisks() {
        final long startNanos = clock.nanoTime();
        while (!context.disks().isEmpty()
                && session.appliedDiskEpoch() < session.acknowledgedEpoch()
                && clock.nanoTime() - startNanos < DISK_LIMIT_NANOS) {
            check(startNanos);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private void awaitEncoded(final long sinceNanos) {
        while (!pipeline.isEncoded()) {
            check(sinceNanos);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private PrimarySession.SwitchoverReply awaitLoaded(final long sinceNanos) {
        while (true) {
            final PrimarySession.SwitchoverReply reply = session.switchoverReply();
            if (reply != null) {
                return reply;
            }
            check(sinceNanos);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private void check(final long sinceNanos) {
        if (stopping.getAsBoolean()
                || session.phase() != PrimarySession.Phase.OPEN
                || clock.nanoTime() - sinceNanos > PREPARE_LIMIT_NANOS) {
            throw new CaptureAbortedException();
        }
        if (guest.hasExited()) {
            throw new GuestException("the guest's process ended");
        }
    }
}
