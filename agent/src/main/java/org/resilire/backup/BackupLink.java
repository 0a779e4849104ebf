package org.resilire.backup;

import io.aeron.ControlledFragmentAssembler;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler.Action;
import io.aeron.logbuffer.Header;
import java.util.Queue;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.NanoClock;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.ProtocolViolationException;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.failover.FailureDetector;
import org.resilire.failover.TakeoverLease;
import org.resilire.fault.FailurePoint;
import org.resilire.fault.FailurePoints;
import org.resilire.transport.Transport;
import org.resilire.transport.TransportException;
import org.resilire.wire.sbe.CommitSwitchoverDecoder;
import org.resilire.wire.sbe.EndProtectionDecoder;
import org.resilire.wire.sbe.GuestLostDecoder;
import org.resilire.wire.sbe.HelloDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.PrepareSwitchoverDecoder;
import org.resilire.wire.sbe.PrimaryHeartbeatDecoder;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backup's side of the replication link: receives greetings and epochs, stages, commits and acknowledges, gives and expects
 * signs of life. Runs as one Agrona agent on the link thread and owns the replica while a session is open; other threads steer it
 * by {@link #accept}, {@link #refuse}, {@link #seal} and {@link #supersede}, which take effect in the next duty cycle.
 */
final class BackupLink implements Agent {

    private enum State {
        /** No session; greetings are passed on. */
        LISTENING,
        /** A greeting was passed on and is being judged. */
        JUDGING,
        /** Epochs arrive. */
        OPEN,
        /** The guest is being moved here: no epochs, signs of life as before. */
        HANDING_OVER,
        /** What was staged whole is being applied; nothing new is taken. */
        SEALING,
        /** The replica is at rest and belongs to whoever sealed the link. */
        SEALED,
        /** The guest runs here: greetings are refused. */
        SUPERSEDING,
        /** A file in memory could not grow, the replica's or one of the transport's: for good. */
        BROKEN
    }

    /** What another thread wants; consumed by the link thread. */
    private sealed interface Command {
        record Accept(HelloReceived hello, long generation, String disks) implements Command {}

        record Refuse(HelloReceived hello, long generation, RefusalReason reason, String text) implements Command {}

        record Seal() implements Command {}

        record Listen() implements Command {}

        record Supersede(long generation) implements Command {}

        record Snapshot(SnapshotRequest request) implements Command {}

        record AnswerSwitchover(SwitchoverStage stage, long generation, String text) implements Command {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(BackupLink.class);
    private static final int FRAGMENT_LIMIT = 64;

    /** Applying and comparing give way to signs of life after this time. */
    private static final long SLICE_NANOS = 200_000L;

    private final Transport transport;
    private final Subscription replication;
    private final Subscription heartbeats;
    private final Subscription inputs;
    private final Replica replica;
    private final EpochAssembler assembler;
    private final EpochMessageReader epochMessages;
    private final InputMessageReader inputMessages;
    private final EpochCommit commit;
    private final ReplicaDisks disks;
    private final ReplicaVerification verification;
    private final ReplicaCopy copy;
    private final ReplySender replies;
    private final SessionAnswers answers;
    /** To primaries that have no session: they must not get hold of the stream to the one that has. */
    private final ReplySender strangers;

    private final String vmName;
    private final long detectTimeoutNanos;
    private final TakeoverLease lease;
    private final Queue<BackupEvent> events;
    private final Runnable wakeListener;
    private final BackupMetrics metrics;
    private final FailurePoints failurePoints;
    private final NanoClock clock;

    private final HelloReader helloReader = new HelloReader();
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final PrimaryHeartbeatDecoder primaryHeartbeat = new PrimaryHeartbeatDecoder();
    private final GuestLostDecoder guestLost = new GuestLostDecoder();
    private final PrepareSwitchoverDecoder prepareSwitchover = new PrepareSwitchoverDecoder();
    private final CommitSwitchoverDecoder commitSwitchover = new CommitSwitchoverDecoder();
    private final SwitchoverState switchover = new SwitchoverState();
    private final EndProtectionDecoder endProtection = new EndProtectionDecoder();
    private final ControlledFragmentAssembler dataAssembler =
            new ControlledFragmentAssembler(this::onReplicationMessage);
    private final FragmentAssembler inputAssembler = new FragmentAssembler(this::onInputMessage);
    private final FragmentAssembler heartbeatAssembler = new FragmentAssembler(this::onHeartbeatMessage);

    private final Queue<Command> commands = new ManyToOneConcurrentArrayQueue<>(16);

    private volatile State state = State.LISTENING;
    private long sessionId;
    private String primaryHost = "";
    private long generation;
    private FailureDetector detector;
    private boolean readyAnnounced;
    /** The session ended because the primary said so; it is told as often as it asks. */
    private boolean endedByNotice;

    private long nowNanos;

    BackupLink(
            final Transport transport,
            final Subscription replication,
            final Subscription heartbeats,
            final Subscription inputs,
            final Replica replica,
            final BackupContext context,
            final Queue<BackupEvent> events,
            final Runnable wakeListener,
            final BackupMetrics metrics) {
        this.transport = transport;
        this.replication = replication;
        this.heartbeats = heartbeats;
        this.inputs = inputs;
        this.replica = replica;
        this.assembler = replica.assembler();
        this.epochMessages = new EpochMessageReader(replica);
        this.inputMessages = new InputMessageReader(replica);
        this.commit = replica.commit();
        this.disks = replica.disks();
        this.verification = replica.verification();
        this.copy = new ReplicaCopy(replica, context.clock());
        this.replies = new ReplySender(transport);
        this.answers =
                new SessionAnswers(replies, replica, context.detectIntervalNanos(), context.takeoverLimitNanos());
        this.strangers = new ReplySender(transport);
        this.vmName = context.vmName();
        this.detectTimeoutNanos = context.detectTimeoutNanos();
        this.lease = new TakeoverLease(context.takeoverLimitNanos());
        this.events = events;
        this.wakeListener = wakeListener;
        this.metrics = metrics;
        this.failurePoints = context.failurePoints();
        this.clock = context.clock();
    }

    /** Opens the session that was asked for; the replica is all zero. Any thread. */
    void accept(final HelloReceived hello, final long agreedGeneration) {
        tell(new Command.Accept(hello, agreedGeneration, DiskIdentity.encode(disks.identities())));
    }

    /** Refuses a greeting. Any thread. */
    void refuse(final HelloReceived hello, final long ownGeneration, final RefusalReason reason, final String text) {
        tell(new Command.Refuse(hello, ownGeneration, reason, text));
    }

    /** Ends the session: a staged whole epoch is still applied, a part of one dropped. {@link #isSealed()} tells when. Any thread. */
    void seal() {
        tell(new Command.Seal());
    }

    /** Waits for greetings again; after a seal. Any thread. */
    void listen() {
        tell(new Command.Listen());
    }

    /** From here on every primary is told that the guest runs here. Any thread. */
    void supersede(final long ownGeneration) {
        tell(new Command.Supersede(ownGeneration));
    }

    /** Tells the primary how far the move of its guest is; {@code FAILED} before it has given it away lets epochs come again. Any thread. */
    void answerSwitchover(final SwitchoverStage stage, final long agreedGeneration, final String text) {
        tell(new Command.AnswerSwitchover(stage, agreedGeneration, text));
    }

    /** Copies the replica as it is at the next committed epoch, beside its work. Any thread. */
    void snapshot(final SnapshotRequest request) {
        if (!commands.offer(new Command.Snapshot(request))) {
            request.fail("the link is busy");
        }
        transport.wake();
    }

    private void tell(final Command command) {
        commands.add(command);
        transport.wake();
    }

    /** True once the replica is at rest: no other thread may touch it before. */
    boolean isSealed() {
        return state == State.SEALED;
    }

    /** When the primary was surely there and heard this side, in the time of the clock. Link thread. */
    long lastHeardNanos() {
        return lease.renewedNanos();
    }

    /** True once memory failed under this: an epoch may be half applied, the replica is lost. */
    boolean isBroken() {
        return state == State.BROKEN;
    }

    @Override
    public int doWork() {
        if (state == State.BROKEN) {
            return 0;
        }
        try {
            return dutyCycle();
        } catch (final InternalError e) {
            // SIGBUS, as the JVM tells it.
            LOG.error("a file in memory cannot be written: {}", e.getMessage());
            state = State.BROKEN;
            wakeListener.run();
            return 0;
        }
    }

    private int dutyCycle() {
        nowNanos = clock.nanoTime();
        int work = transport.doWork();
        work += followCommands();
        work += heartbeats.poll(heartbeatAssembler, FRAGMENT_LIMIT);
        work += inputs.poll(inputAssembler, FRAGMENT_LIMIT);
        work += advanceEpoch();
        work += disks.doWork() ? 1 : 0;
        work += state == State.OPEN ? copy.doWork(nowNanos) : 0;
        work += isInSession() ? answers.doWork(nowNanos, generation) : 0;
        checkDisks();
        checkSilence();
        return work;
    }

    private int followCommands() {
        final Command command = commands.poll();
        switch (command) {
            case null -> {
                return 0;
            }
            case Command.Accept accept -> open(accept);
            case Command.Refuse refuse -> {
                state = State.LISTENING;
                turnAway(refuse.hello(), refuse.generation(), refuse.reason(), refuse.text());
            }
            case Command.Seal seal -> sealSession();
            case Command.Listen listen -> state = State.LISTENING;
            case Command.Supersede supersede -> {
                generation = supersede.generation();
                state = State.SUPERSEDING;
            }
            case Command.Snapshot wanted -> copy.want(wanted.request(), state == State.OPEN);
            case Command.AnswerSwitchover answer -> answerSwitchover(answer);
        }
        return 1;
    }

    private void answerSwitchover(final Command.AnswerSwitchover answer) {
        switchover.answer(answer.stage(), answer.generation(), answer.text());
        if (state == State.HANDING_OVER && answer.stage() == SwitchoverStage.FAILED) {
            if (switchover.isCommitted()) {
                // The primary takes the guest back and greets with this generation.
                generation = answer.generation();
            } else {
                state = State.OPEN;
            }
        }
        switchover.sendTo(replies, sessionId);
    }

    private void open(final Command.Accept accept) {
        final HelloReceived hello = accept.hello();
        switchover.reset();
        sessionId = hello.sessionId();
        generation = accept.generation();
        answers.begin(hello, accept.disks());
        assembler.startSession(hello.firstEpoch());
        disks.startSession(hello.firstEpoch());
        readyAnnounced = false;
        endedByNotice = false;
        detector = new FailureDetector(hello.heartbeatIntervalNanos(), detectTimeoutNanos);
        detector.start(nowNanos);
        lease.start(nowNanos);
        primaryHost = hello.replyEndpoint().host();
        state = State.OPEN;
        try {
            replies.connect(hello.replyEndpoint());
            answers.welcome();
        } catch (final TransportException e) {
            LOG.error("no answer gets to the primary, the session ends: {}", e.getMessage());
            endSession(new BackupEvent.ProtocolBroken(e.getMessage()));
        }
    }

    /** If this does not get through, the primary greets again. */
    private void turnAway(
            final HelloReceived hello, final long ownGeneration, final RefusalReason reason, final String text) {
        try {
            strangers.connect(hello.replyEndpoint());
            strangers.refuse(hello.sessionId(), ownGeneration, reason, text);
        } catch (final TransportException e) {
            LOG.warn("no answer gets to the primary that was refused: {}", e.getMessage());
        }
    }

    private void sealSession() {
        if (state == State.SEALED) {
            return;
        }
        if (verification.inProgress()) {
            // It changes nothing, and whoever seals may have a guest to start.
            verification.cancel();
            assembler.next();
        }
        copy.abandon();
        if (commit.inProgress()) {
            state = State.SEALING;
        } else {
            sealed();
        }
    }

    private void sealed() {
        disks.endSession();
        state = State.SEALED;
    }

    /** One step of: receive until an epoch is whole, apply it, compare it if that was asked for. */
    private int advanceEpoch() {
        if (commit.inProgress()) {
            if (commit.applySlice(clock, clock.nanoTime() + SLICE_NANOS)) {
                onCommitted();
            }
            return 1;
        }
        if (verification.inProgress()) {
            if (verification.compareSlice(clock, clock.nanoTime() + SLICE_NANOS)) {
                answers.report();
                metrics.verified(verification);
                assembler.next();
            }
            return 1;
        }
        if (disks.isFull()) {
            // What is not received is not acknowledged: the primary waits, and slows its guest down.
            return 0;
        }
        return replication.controlledPoll(dataAssembler, FRAGMENT_LIMIT);
    }

    private void onCommitted() {
        failurePoints.killIfFires(FailurePoint.BACKUP_HALT_BEFORE_ACK);
        disks.commit(commit.committedEpoch());
        metrics.committed(assembler, commit.committedEpoch());
        metrics.inputLogged(replica.replayLog().frames());
        replica.committed(nowNanos);
        if (commit.isRestorable() && !readyAnnounced) {
            readyAnnounced = true;
            detector.endPatience();
            raise(new BackupEvent.Ready(commit.committedEpoch()));
        }
        if (assembler.hasPageHashes() && state == State.OPEN) {
            verification.begin(commit.committedEpoch(), assembler.pageHashes());
        } else {
            assembler.next();
            finishSealing();
        }
    }

    private void finishSealing() {
        if (state == State.SEALING) {
            copy.abandon();
            sealed();
        }
    }

    private void checkDisks() {
        final String failure = disks.failure();
        if (state == State.OPEN && failure != null) {
            replies.refuse(sessionId, generation, RefusalReason.DISK_FAILED, "the backup's disk failed: " + failure);
            endSession(new BackupEvent.DiskFailed(failure));
        }
    }

    private void checkSilence() {
        if (isInSession() && !switchover.isCommitted() && detector.tick(nowNanos)) {
            endSession(new BackupEvent.PrimarySilent(detector.silenceNanos(), lastHeardNanos(), lease.endNanos()));
        }
    }

    private boolean isInSession() {
        return state == State.OPEN || state == State.HANDING_OVER;
    }

    private void endSession(final BackupEvent event) {
        sealSession();
        raise(event);
    }

    private void raise(final BackupEvent event) {
        events.add(event);
        wakeListener.run();
    }

    private Action onReplicationMessage(
            final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH) {
            return Action.CONTINUE;
        }
        header.wrap(buffer, offset);
        if (header.schemaId() != MessageHeaderDecoder.SCHEMA_ID) {
            return Action.CONTINUE;
        }
        if (header.templateId() == HelloDecoder.TEMPLATE_ID) {
            helloReader.read(buffer, offset, length).ifPresent(this::onHello);
            return Action.CONTINUE;
        }
        if (state != State.OPEN) {
            return Action.CONTINUE;
        }
        try {
            return onEpochMessage(epochMessages.read(buffer, offset, length, sessionId));
        } catch (final ProtocolViolationException e) {
            LOG.error("the primary broke the protocol, the session ends: {}", e.getMessage());
            replies.refuse(sessionId, generation, RefusalReason.BAD_MESSAGE, e.getMessage());
            endSession(new BackupEvent.ProtocolBroken(e.getMessage()));
            return Action.BREAK;
        }
    }

    private Action onEpochMessage(final EpochMessageReader.Outcome outcome) {
        if (outcome == EpochMessageReader.Outcome.OF_ANOTHER_SESSION) {
            return Action.CONTINUE;
        }
        detector.heard();
        if (outcome == EpochMessageReader.Outcome.STAGED) {
            return Action.CONTINUE;
        }
        failurePoints.killIfFires(FailurePoint.BACKUP_HALT_BEFORE_COMMIT);
        commit.begin(assembler);
        return Action.BREAK;
    }

    private boolean isOfThisSession(final long session) {
        if (session != sessionId) {
            return false;
        }
        detector.heard();
        return true;
    }

    private void onHello(final HelloReceived hello) {
        switch (state) {
            case LISTENING -> {
                state = State.JUDGING;
                raise(new BackupEvent.Greeted(hello));
            }
            case OPEN, HANDING_OVER -> {
                if (hello.sessionId() == sessionId) {
                    detector.heard();
                    answers.welcome();
                } else if (!hello.vmName().equals(vmName)) {
                    // Another guest's agent that a wrong port led here must not cost this guest its protection.
                    turnAway(hello, generation, RefusalReason.VM_NAME, hello.isNotFor(vmName));
                } else if (hello.replyEndpoint().host().equals(primaryHost) && hello.generation() == generation) {
                    // It lost sight of this side, or its agent was started anew. It lives: there is nothing to take
                    // over.
                    endSession(new BackupEvent.GreetedAgain(hello));
                } else {
                    turnAway(hello, generation, RefusalReason.BUSY, "a session with a primary is open");
                }
            }
            case SUPERSEDING ->
                turnAway(
                        hello,
                        generation,
                        RefusalReason.SUPERSEDED,
                        "the guest runs here since this host took over, as generation " + generation);
            case JUDGING, SEALING, SEALED, BROKEN -> {
                // Being dealt with: the primary greets again.
            }
        }
    }

    private void onInputMessage(
            final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        // Once the guest is ours, the frames belong to whoever starts it.
        if (!isInSession() || switchover.isCommitted()) {
            return;
        }
        final String violation = inputMessages.read(buffer, offset, length, sessionId);
        if (violation != null) {
            // Without it a failover could not replay: better to be synchronised again.
            final String what = "its input log has " + violation;
            LOG.error("the primary broke the protocol, the session ends: {}", what);
            replies.refuse(sessionId, generation, RefusalReason.BAD_MESSAGE, what);
            endSession(new BackupEvent.ProtocolBroken(what));
        }
    }

    private void onHeartbeatMessage(
            final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH + Long.BYTES) {
            return;
        }
        header.wrap(buffer, offset);
        final boolean whole = header.schemaId() == MessageHeaderDecoder.SCHEMA_ID
                && length >= MessageHeaderDecoder.ENCODED_LENGTH + header.blockLength();
        if (!whole) {
            return;
        }
        switch (header.templateId()) {
            case PrimaryHeartbeatDecoder.TEMPLATE_ID -> {
                if (header.blockLength() >= PrimaryHeartbeatDecoder.BLOCK_LENGTH && isInSession()) {
                    primaryHeartbeat.wrapAndApplyHeader(buffer, offset, header);
                    if (isOfThisSession(primaryHeartbeat.sessionId())) {
                        lease.renew(primaryHeartbeat.echoedBackupNanos(), nowNanos);
                    }
                }
            }
            case GuestLostDecoder.TEMPLATE_ID -> {
                if (header.blockLength() >= GuestLostDecoder.BLOCK_LENGTH) {
                    onNotice(
                            guestLost.wrapAndApplyHeader(buffer, offset, header).sessionId(),
                            new BackupEvent.GuestLost());
                }
            }
            case EndProtectionDecoder.TEMPLATE_ID -> {
                if (header.blockLength() >= EndProtectionDecoder.BLOCK_LENGTH) {
                    onNotice(
                            endProtection
                                    .wrapAndApplyHeader(buffer, offset, header)
                                    .sessionId(),
                            new BackupEvent.ProtectionEnded());
                }
            }
            case PrepareSwitchoverDecoder.TEMPLATE_ID -> {
                if (header.blockLength() >= PrepareSwitchoverDecoder.BLOCK_LENGTH) {
                    prepareSwitchover.wrapAndApplyHeader(buffer, offset, header);
                    onPrepareSwitchover(prepareSwitchover.sessionId(), prepareSwitchover.epoch());
                }
            }
            case CommitSwitchoverDecoder.TEMPLATE_ID -> {
                if (header.blockLength() >= CommitSwitchoverDecoder.BLOCK_LENGTH) {
                    commitSwitchover.wrapAndApplyHeader(buffer, offset, header);
                    onCommitSwitchover(commitSwitchover.sessionId(), commitSwitchover.generation());
                }
            }
            default -> LOG.debug("message type {} is not for a backup", header.templateId());
        }
    }

    /** What cannot be yet is asked again; what never can be is never answered. */
    private void onPrepareSwitchover(final long session, final long epoch) {
        if (session != sessionId) {
            return;
        }
        if (switchover.isAskedFor(epoch)) {
            switchover.sendTo(replies, sessionId);
        } else if (state == State.OPEN
                && !verification.inProgress()
                && commit.isRestorable()
                && commit.committedEpoch() == epoch
                && answers.acknowledgedEpoch() == epoch) {
            switchover.asked(epoch);
            if (disks.hasStaged()) {
                // The guest stands still: these are comparisons, which would be lost, or be waited for.
                switchover.answer(
                        SwitchoverStage.FAILED, generation, "its disks are being compared; try again after that");
                switchover.sendTo(replies, sessionId);
                return;
            }
            copy.abandon();
            state = State.HANDING_OVER;
            raise(new BackupEvent.SwitchoverAsked(epoch));
        }
    }

    private void onCommitSwitchover(final long session, final long newGeneration) {
        if (session != sessionId) {
            return;
        }
        final boolean isNews = state == State.HANDING_OVER
                && switchover.isLoaded()
                && !switchover.isCommitted()
                && newGeneration == generation + 1;
        if (isNews) {
            switchover.committed();
            raise(new BackupEvent.SwitchoverCommitted(newGeneration));
        } else {
            switchover.sendTo(replies, sessionId);
        }
    }

    /**
     * A primary that is answered lets its guest's output go: so only a notice that came before anything else had ended the session
     * is answered. One that comes later finds a backup that may be starting the guest, or has. Of a copy that only waits for an
     * operator, the word that it is stale is never too late.
     */
    private void onNotice(final long session, final BackupEvent event) {
        if (session != sessionId) {
            return;
        }
        final boolean onlyWaits = state == State.LISTENING && event instanceof BackupEvent.ProtectionEnded;
        final boolean canEnd = isInSession() && !switchover.isCommitted();
        if (!endedByNotice && (canEnd || onlyWaits)) {
            endedByNotice = true;
            endSession(event);
        }
        if (endedByNotice) {
            replies.noticeReceived(session);
        }
    }

    /** The replica; only for the thread that sealed the link, or before the link runs. */
    Replica replica() {
        return replica;
    }

    @Override
    public void onClose() {
        copy.close();
        replies.close();
        strangers.close();
        CloseHelper.closeAll(replication, heartbeats, inputs);
        transport.close();
    }

    @Override
    public String roleName() {
        return "link";
    }
}
