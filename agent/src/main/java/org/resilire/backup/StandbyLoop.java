package org.resilire.backup;

import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;
import org.resilire.control.AgentState;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestException;
import org.resilire.wire.sbe.SwitchoverStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of a backup, on the standby's own thread: keeps a fresh standby, judges primaries that greet, and takes over when the
 * primary fails or an operator says so.
 */
final class StandbyLoop {

    /** How a loop can end. */
    enum End {
        STOPPED,
        /** The guest runs here: another role follows. */
        TOOK_OVER,
        /** The guest that had been taken over has ended. */
        GUEST_ENDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(StandbyLoop.class);
    private static final long POLL_NANOS = 50_000_000L;
    private static final long SEAL_STEP_NANOS = 20_000L;
    private static final long SEAL_LIMIT_NANOS = 30_000_000_000L;
    private static final long STANDBY_RETRY_NANOS = 2_000_000_000L;

    /** A standby that does not take its state is replaced by another over the same replica. */
    private static final int TAKEOVER_ATTEMPTS = 3;

    private static final long NEVER = Long.MIN_VALUE;

    private final BackupContext context;
    private final ProtectionRecord record;
    private final BackupLink link;
    private final Replica replica;
    private final Queue<BackupEvent> events;
    private final GreetingJudge judge;
    private final Takeover takeover;
    private final Supplier<? extends Standby> standbyStarter;
    private final Runnable openNetwork;
    private final BackupMetrics metrics;
    private final NanoClock clock;

    private static final String RUNS_HERE = "the guest runs here already";

    private final Queue<CompletableFuture<String>> failoverRequests = new ConcurrentLinkedQueue<>();
    private volatile boolean tookOver;
    private volatile boolean stopping;
    private volatile Thread thread;

    private Standby standby;
    private boolean standbyUsed;
    private boolean active;
    /** The primary said that it goes on unprotected, or may have by now: starting the replica could lose what it did since. */
    private boolean stale = true;

    /** When a primary that fell silent was surely there. */
    private long lastHeardNanos = NEVER;

    StandbyLoop(
            final BackupContext context,
            final BackupLink link,
            final Queue<BackupEvent> events,
            final Takeover takeover,
            final Standby firstStandby,
            final Supplier<? extends Standby> standbyStarter,
            final Runnable openNetwork,
            final BackupMetrics metrics) {
        this.context = context;
        this.record = context.record();
        this.link = link;
        this.replica = link.replica();
        this.events = events;
        this.judge = new GreetingJudge(context, replica);
        this.takeover = takeover;
        this.standby = firstStandby;
        this.standbyStarter = standbyStarter;
        this.openNetwork = openNetwork;
        this.metrics = metrics;
        this.clock = context.clock();
    }

    /** Looks at events at once. Any thread. */
    void wake() {
        LockSupport.unpark(thread);
    }

    void stop() {
        stopping = true;
        wake();
    }

    /** Takes over by an operator's order; completes with a description, or exceptionally. Any thread. */
    CompletableFuture<String> requestFailover() {
        final CompletableFuture<String> result = new CompletableFuture<>();
        failoverRequests.add(result);
        wake();
        if (tookOver) {
            refuseFailovers();
        }
        return result;
    }

    /** The standby, for whoever ends this agent. */
    Standby standby() {
        return standby;
    }

    private void refuseFailovers() {
        for (CompletableFuture<String> late = failoverRequests.poll(); late != null; late = failoverRequests.poll()) {
            late.completeExceptionally(new IllegalStateException(RUNS_HERE));
        }
    }

    End run() {
        thread = Thread.currentThread();
        metrics.generation(record.generation());
        metrics.state(AgentState.STANDBY_WAITING);
        while (!stopping) {
            if (active && context.endsActive()) {
                // Before the last look at the queue: whoever comes after that look finds this set.
                tookOver = true;
                refuseFailovers();
                return End.TOOK_OVER;
            }
            requireReplica();
            final BackupEvent event = events.poll();
            if (event != null) {
                on(event);
                continue;
            }
            final CompletableFuture<String> request = failoverRequests.poll();
            if (request != null) {
                onFailoverRequest(request);
                continue;
            }
            if (standby.hasExited()) {
                if (active) {
                    LOG.error("the guest's process ended");
                    metrics.state(AgentState.STOPPED);
                    return End.GUEST_ENDED;
                }
                LOG.warn("the standby's QEMU ended; starting another");
                replaceStandby();
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return End.STOPPED;
    }

    private void on(final BackupEvent event) {
        if (active) {
            LOG.debug("the guest runs here, so this is history: {}", event);
            return;
        }
        switch (event) {
            case BackupEvent.Greeted greeted -> judge(greeted.hello());
            case BackupEvent.Ready ready -> {
                stale = false;
                LOG.info("ready to take over since epoch {}", ready.epoch());
                metrics.state(AgentState.STANDBY_READY);
            }
            case BackupEvent.GreetedAgain greeted -> onGreetedAgain(greeted.hello());
            case BackupEvent.PrimarySilent silent -> onPrimarySilent(silent);
            case BackupEvent.GuestLost lost -> onGuestLost();
            case BackupEvent.ProtectionEnded ended -> {
                LOG.warn("the primary ended protection: its guest goes on without this backup");
                discardSession("the primary ended protection");
            }
            case BackupEvent.DiskFailed failed -> {
                LOG.error("a disk cannot be written, so this host cannot take over: {}", failed.how());
                discardSession("a disk cannot be written: " + failed.how());
            }
            case BackupEvent.SwitchoverAsked asked -> prepareSwitchover(asked.epoch());
            case BackupEvent.SwitchoverCommitted committed -> acceptSwitchover(committed.generation());
            case BackupEvent.ProtocolBroken broken -> discardSession("the primary broke the protocol: " + broken.how());
        }
    }

    private void judge(final HelloReceived hello) {
        if (standbyUsed && !standby.hasExited()) {
            // It was loaded for a move that did not come about: its state is history with this greeting.
            replaceStandby();
        }
        final GreetingJudge.Refusal refusal = judge.objection(hello, standby, standbyUsed);
        if (refusal != null) {
            LOG.warn("primary at {} refused: {}", hello.replyEndpoint(), refusal.text());
            metrics.error(refusal.text());
            link.refuse(hello, record.generation(), refusal.reason(), refusal.text());
            return;
        }
        lastHeardNanos = NEVER;
        record.adoptGeneration(hello.generation());
        // If this host ran the guest before, that guest is history, and so is the backup that it had.
        record.unprotected();
        metrics.generation(record.generation());
        stale = true;
        LOG.info("primary at {} accepted; receiving {} MiB", hello.replyEndpoint(), hello.ramBytes() >> 20);
        metrics.state(AgentState.STANDBY_SYNCHRONISING);
        metrics.synchronising();
        replica.clear();
        link.accept(hello, record.generation());
    }

    /** The primary gave up its session: its guest lives, so what is here waits for a new synchronisation. */
    private void onGreetedAgain(final HelloReceived hello) {
        LOG.warn("the primary at {} greets again: the session with it is over", hello.replyEndpoint());
        awaitSealed();
        judge(hello);
    }

    private void onPrimarySilent(final BackupEvent.PrimarySilent silent) {
        LOG.error("the primary is silent for {} ms", silent.silenceNanos() / 1_000_000);
        lastHeardNanos = silent.lastHeardNanos();
        final boolean restorable = awaitSealed();
        if (!restorable) {
            LOG.error("synchronisation was not complete: there is nothing to start from");
            discardSession("the primary fell silent during synchronisation");
        } else if (context.automatic()) {
            takeOver(silent.silenceNanos(), Mandate.untilLeaseEnds(silent.leaseEndNanos()));
        } else {
            awaitOperator("the primary is silent");
        }
    }

    /** A primary that comes back is welcome; a failover until then starts from the last checkpoint. */
    private void awaitOperator(final String why) {
        // What may have been changed since is nothing to start from, whoever asks.
        final String advice =
                stale ? why : why + "; 'resilire failover --vm " + context.vmName() + "' starts the guest here";
        metrics.error(advice);
        LOG.error(advice);
        metrics.state(AgentState.AWAITING_OPERATOR);
        link.listen();
    }

    private void onGuestLost() {
        LOG.error("the primary's agent says that its guest ended");
        if (!awaitSealed()) {
            discardSession("the primary's guest ended during synchronisation");
        } else if (context.automatic()) {
            takeOver(0, Mandate.becauseStopped("the primary's agent saw its guest end"));
        } else {
            awaitOperator("the primary's guest ended");
        }
    }

    private void requireReplica() {
        if (link.isBroken() && !active) {
            throw new ReplicaUnusableException(
                    "the replica or the link's buffers cannot be written, so this standby ends;"
                            + " make room in /dev/shm and where --ram is, then start it again");
        }
    }

    /** Returns true if the replica is at rest, and is a guest that may be started. */
    private boolean awaitSealed() {
        link.seal();
        final long deadlineNanos = clock.nanoTime() + SEAL_LIMIT_NANOS;
        while (!link.isSealed()) {
            requireReplica();
            // Looked at again: this thread may have been the late one.
            if (clock.nanoTime() - deadlineNanos > 0 && !link.isSealed()) {
                throw new IllegalStateException("the link thread did not finish the last epoch in time");
            }
            LockSupport.parkNanos(SEAL_STEP_NANOS);
        }
        boolean protectionEnded = false;
        // No more will come until the link listens again. What did come is about a session that is over.
        for (BackupEvent event = events.poll(); event != null; event = events.poll()) {
            protectionEnded |= event instanceof BackupEvent.ProtectionEnded;
            if (event instanceof BackupEvent.Ready) {
                // The last epoch of the session was its first checkpoint.
                stale = false;
            }
        }
        return !protectionEnded && replica.commit().isRestorable();
    }

    /** What the replica holds is of no use any more: wait for a primary. */
    private void discardSession(final String why) {
        awaitSealed();
        stale = true;
        metrics.error(why);
        metrics.state(AgentState.STANDBY_WAITING);
        link.listen();
    }

    private void onFailoverRequest(final CompletableFuture<String> request) {
        if (active) {
            request.completeExceptionally(new IllegalStateException(RUNS_HERE));
            return;
        }
        final boolean restorable = !stale && awaitSealed();
        if (!restorable) {
            request.completeExceptionally(new IllegalStateException(
                    "there is no checkpoint to start from; wait until 'resilire status' says STANDBY_READY"));
            if (!stale) {
                discardSession("failover was asked for before the first checkpoint");
            }
            return;
        }
        final String heard = lastHeard();
        final String failure = takeOver(0, Mandate.ofOperator());
        if (failure == null) {
            request.complete("the guest runs here as generation " + record.generation() + ", from epoch "
                    + replica.commit().committedEpoch() + heard);
        } else {
            request.completeExceptionally(new IllegalStateException(failure));
        }
    }

    /** The primary's guest stands still: this is in its pause. */
    private void prepareSwitchover(final long epoch) {
        final GuestException failure = standbyUsed || standby.hasExited()
                ? new GuestException("the standby's QEMU is not ready yet")
                : takeover.prepareSwitchover(replica, standby);
        standbyUsed = true;
        if (failure == null) {
            link.answerSwitchover(SwitchoverStage.LOADED, record.generation(), "");
            LOG.info("the primary moves its guest here: its state of epoch {} is loaded", epoch);
            return;
        }
        link.answerSwitchover(SwitchoverStage.FAILED, record.generation(), failure.getMessage());
        LOG.error("switchover: {}", failure.getMessage());
        metrics.error(failure.getMessage());
        replaceStandby();
    }

    /** The primary will not run the guest again unless it is told to. */
    private void acceptSwitchover(final long generation) {
        final long startNanos = clock.nanoTime();
        metrics.state(AgentState.TAKING_OVER);
        String failure = "";
        boolean mayHaveRun = false;
        for (int attempt = 1; attempt <= TAKEOVER_ATTEMPTS && !stopping; attempt++) {
            try {
                final GuestException loadFailure = Takeover.load(replica, standby);
                standbyUsed = true;
                if (loadFailure == null) {
                    takeover.acceptSwitchover(replica, standby, generation, openNetwork);
                    onSwitchedOver(clock.nanoTime() - startNanos);
                    return;
                }
                failure = loadFailure.getMessage();
            } catch (final Takeover.StandbyFailedException e) {
                failure = e.getMessage();
                mayHaveRun = e.mayHaveRun();
            }
            LOG.error("switchover, attempt {}: {}", attempt, failure);
            replaceStandby();
            if (mayHaveRun || !replica.disks().isUntouched()) {
                // What it changed is not what the checkpoint has, which is the primary's alone now.
                failure += "; what it wrote meanwhile is lost";
                stale = true;
                break;
            }
        }
        replica.disks().closeGates();
        metrics.generation(record.generation());
        metrics.error("switchover: " + failure + "; the primary takes its guest back");
        // Should it be lost before it does, what is here is all there is.
        metrics.state(AgentState.AWAITING_OPERATOR);
        link.answerSwitchover(SwitchoverStage.FAILED, generation, failure);
    }

    private void onSwitchedOver(final long resumeNanos) {
        active = true;
        link.answerSwitchover(SwitchoverStage.RUNNING, record.generation(), "");
        link.supersede(record.generation());
        metrics.generation(record.generation());
        metrics.tookOver(0, resumeNanos);
        metrics.state(AgentState.ACTIVE);
        LOG.warn(
                "the guest was moved here as generation {}, running {} ms after the primary gave it away",
                record.generation(),
                resumeNanos / 1e6);
    }

    /** What an operator should know about the checkpoint that the guest starts from; empty while the primary is heard. */
    private String lastHeard() {
        return lastHeardNanos == NEVER
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; its primary was last heard %.1f s before: what it did unprotected since, if it did, is lost",
                        (clock.nanoTime() - lastHeardNanos) / 1e9);
    }

    /** Returns null, or why it did not happen. */
    private String takeOver(final long detectNanos, final Mandate firstMandate) {
        final long startNanos = clock.nanoTime();
        metrics.state(AgentState.TAKING_OVER);
        Mandate mandate = firstMandate;
        for (int attempt = 1; ; attempt++) {
            standbyUsed = true;
            try {
                LOG.info("primary: {}", takeover.run(replica, standby, mandate, openNetwork));
                break;
            } catch (final Takeover.RefusedException | RuntimeException e) {
                return onTakeoverFailed(e.getMessage());
            } catch (final Takeover.StandbyFailedException e) {
                LOG.error("the standby failed in takeover attempt {}: {}", attempt, e.getMessage());
                if (e.mayHaveRun()) {
                    stale = true;
                    return onTakeoverFailed(e.getMessage()
                            + "; the guest may have run for a moment, and what it changed in memory and on its disks is no"
                            + " checkpoint to start from again");
                }
                if (attempt == TAKEOVER_ATTEMPTS) {
                    return onTakeoverFailed(e.getMessage());
                }
                mandate = e.next();
                replaceStandby();
            }
        }
        final long resumeNanos = clock.nanoTime() - startNanos;
        active = true;
        link.supersede(record.generation());
        metrics.generation(record.generation());
        metrics.tookOver(detectNanos, resumeNanos);
        metrics.state(AgentState.ACTIVE);
        LOG.warn(
                "took over from epoch {} as generation {}: detected after {} ms, running {} ms later",
                replica.commit().committedEpoch(),
                record.generation(),
                detectNanos / 1e6,
                resumeNanos / 1e6);
        return null;
    }

    /** The replica stays what it is: the operator may know better, or the primary come back. */
    private String onTakeoverFailed(final String why) {
        replaceStandby();
        awaitOperator("takeover failed: " + why);
        return why;
    }

    private void replaceStandby() {
        standby.close();
        while (!stopping) {
            try {
                standby = standbyStarter.get();
                standbyUsed = false;
                return;
            } catch (final GuestException e) {
                LOG.error("the standby does not start: {}", e.getMessage());
                metrics.error(e.getMessage());
                LockSupport.parkNanos(STANDBY_RETRY_NANOS);
            }
        }
    }
}
