package org.resilire.primary;

import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.disk.DiskIdentity;
import org.resilire.epoch.EpochPipeline;
import org.resilire.failover.FailureDetector;
import org.resilire.guest.GuestMemory;
import org.resilire.net.InboundLog;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.resilire.transport.TransportException;
import org.resilire.wire.ProtocolVersion;
import org.resilire.wire.sbe.BackupHeartbeatDecoder;
import org.resilire.wire.sbe.DiskDifferencesDecoder;
import org.resilire.wire.sbe.EpochAckDecoder;
import org.resilire.wire.sbe.HelloEncoder;
import org.resilire.wire.sbe.InputAckDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.NoticeReceivedDecoder;
import org.resilire.wire.sbe.PrimaryHeartbeatEncoder;
import org.resilire.wire.sbe.RefusalDecoder;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverAnswerDecoder;
import org.resilire.wire.sbe.SwitchoverStage;
import org.resilire.wire.sbe.VerifyReportDecoder;
import org.resilire.wire.sbe.WelcomeDecoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The primary's side of the replication link: greets, sends epochs, receives acknowledgements, gives and expects signs of life.
 * Runs as one Agrona agent on the link thread; other threads steer it by {@link #open}, {@link #close} and the notices, which
 * take effect in the next duty cycle.
 */
final class PrimaryLink implements Agent {

    /** Hears of acknowledgements, on the link thread. */
    interface AckListener {
        /** {@code restorable}: the backup can start from this epoch; one of a synchronisation makes nothing safe yet. */
        void onAcknowledged(long epoch, boolean restorable, long nowNanos);

        /** The session says so by now: whoever waits for that may be woken. */
        default void afterAcknowledged() {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(PrimaryLink.class);
    private static final long GREETING_INTERVAL_NANOS = 200_000_000L;
    private static final long SILENCE_REPORT_NANOS = 10_000_000_000L;
    private static final int FRAGMENT_LIMIT = 32;
    private static final int MAX_NOTICE_BYTES = 64 << 10;

    /** As good as for ever, and added to other times it does not overflow. */
    private static final long MAX_TAKEOVER_LIMIT_NANOS = Long.MAX_VALUE / 4;

    private final Transport transport;
    private final EpochSender sender;
    private final EpochPipeline pipeline;
    private final InboundLog inboundLog;
    private final InputSender inputSender;
    private final boolean replaysInput;
    private final PrimarySession session;
    private final FailureDetector detector;
    private final ProgressWatch progress;
    private final AckListener ackListener;
    private final NanoClock clock;

    private final UnsafeBuffer messageBuffer = new UnsafeBuffer(new byte[MAX_NOTICE_BYTES]);
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final PrimaryHeartbeatEncoder heartbeat = new PrimaryHeartbeatEncoder();
    private final MessageHeaderDecoder headerDecoder = new MessageHeaderDecoder();
    private final EpochAckDecoder epochAck = new EpochAckDecoder();
    private final WelcomeDecoder welcome = new WelcomeDecoder();
    private final RefusalDecoder refusal = new RefusalDecoder();
    private final BackupHeartbeatDecoder backupHeartbeat = new BackupHeartbeatDecoder();
    private final NoticeReceivedDecoder noticeReceived = new NoticeReceivedDecoder();
    private final DiskDifferencesDecoder diskDifferences = new DiskDifferencesDecoder();
    private final SwitchoverAnswerDecoder switchoverAnswer = new SwitchoverAnswerDecoder();
    private final VerifyReportDecoder verifyReport = new VerifyReportDecoder();
    private final InputAckDecoder inputAck = new InputAckDecoder();
    private final FragmentAssembler assembler = new FragmentAssembler(this::onMessage);

    private final PrimaryNotices notices = new PrimaryNotices();

    private volatile Greeting wanted;
    private Greeting current;
    private Subscription replies;
    /** The backup that {@link #replies} hears: another may be reached over another network. */
    private Endpoint repliesFrom;

    private ExclusivePublication replication;
    private ExclusivePublication heartbeats;
    private ExclusivePublication inputs;
    private long nowNanos;
    private long nextGreetingNanos;
    private long nextHeartbeatNanos;
    /** The backup's own time of what was heard from it last; 0 if nothing was. */
    private long newestBackupNanos;

    private long nextSilenceReportNanos;

    PrimaryLink(
            final Transport transport,
            final EpochSender sender,
            final EpochPipeline pipeline,
            final InboundLog inboundLog,
            final boolean replaysInput,
            final PrimarySession session,
            final FailureDetector detector,
            final AckListener ackListener,
            final NanoClock clock) {
        this.transport = transport;
        this.sender = sender;
        this.pipeline = pipeline;
        this.inputSender = new InputSender(inboundLog);
        this.inboundLog = inboundLog;
        this.replaysInput = replaysInput;
        this.session = session;
        this.detector = detector;
        this.progress = new ProgressWatch(detector.intervalNanos(), detector.timeoutNanos());
        this.ackListener = ackListener;
        this.clock = clock;
    }

    /** Wants a session; greets until the backup answers. Any thread; the session must be closed. */
    void open(final Greeting greeting) {
        session.greeting(greeting.firstEpoch() - 1);
        wanted = greeting;
        transport.wake();
    }

    /** Wants no session. Any thread; {@link PrimarySession#phase()} tells when it took effect. */
    void close() {
        wanted = null;
        transport.wake();
    }

    /** Tells the backup, if it is there, that the guest's process ended. Any thread. */
    void announceGuestLost() {
        notices.guestLost();
        transport.wake();
    }

    /** Tells the backup that the guest goes on unprotected. Any thread. */
    void announceEndOfProtection() {
        notices.endOfProtection();
        transport.wake();
    }

    /** Asks the backup to load the device state of this epoch, the last of the session; {@link PrimarySession#switchoverReply}. */
    void prepareSwitchover(final long epoch) {
        session.switchoverAnswered(null);
        notices.prepareSwitchover(epoch);
        transport.wake();
    }

    /** Gives the guest away: the backup may run it from here on. Any thread. */
    void commitSwitchover(final long generation) {
        session.switchoverAnswered(null);
        notices.commitSwitchover(generation);
        transport.wake();
    }

    /** True once the backup has answered the last notice: a notice that a new session made void was not. */
    boolean isNoticeAnswered() {
        return notices.isAnswered();
    }

    @Override
    public int doWork() {
        nowNanos = clock.nanoTime();
        int work = transport.doWork();
        work += followWishes();
        if (current == null) {
            return work + sender.doWork(nowNanos);
        }
        try {
            work += replies == null ? 0 : replies.poll(assembler, FRAGMENT_LIMIT);
            work += greet();
            work += sender.doWork(nowNanos);
            work += inputSender.doWork();
            work += sendNotice();
            work += beat();
            checkEncoder();
            checkSilence();
            checkProgress();
        } catch (final SessionEndedException e) {
            lose(e.getMessage());
        }
        return work;
    }

    private int followWishes() {
        final Greeting wish = wanted;
        if (Objects.equals(wish, current)) {
            if (wish == null && session.phase() != PrimarySession.Phase.CLOSED) {
                session.closed();
            }
            return 0;
        }
        endSession();
        // Said to the backup of a session that is over, it would end the next one.
        notices.forget();
        current = wish;
        if (wish == null) {
            session.closed();
        } else {
            nextGreetingNanos = nowNanos;
            nextSilenceReportNanos = nowNanos + 5 * GREETING_INTERVAL_NANOS;
        }
        return 1;
    }

    private void endSession() {
        detector.stop();
        sender.close();
        inputSender.close();
        CloseHelper.closeAll(replication, heartbeats, inputs);
        replication = null;
        heartbeats = null;
        inputs = null;
    }

    private int greet() {
        if (session.phase() != PrimarySession.Phase.GREETING || nowNanos < nextGreetingNanos) {
            return 0;
        }
        nextGreetingNanos = nowNanos + GREETING_INTERVAL_NANOS;
        if (openStreams()) {
            replication.offer(messageBuffer, 0, encodeHello());
        }
        if (nowNanos >= nextSilenceReportNanos) {
            nextSilenceReportNanos = nowNanos + SILENCE_REPORT_NANOS;
            LOG.warn("backup {} does not answer; trying again", current.backup());
        }
        return 1;
    }

    private boolean openStreams() {
        final Endpoint backup = current.backup();
        try {
            if (replies == null || !backup.equals(repliesFrom)) {
                CloseHelper.quietClose(replies);
                replies = null;
                replies = transport.listen(backup.localAddressTowards(), Streams.REPLY);
                repliesFrom = backup;
            }
            if (replication == null) {
                replication = transport.connect(backup, Streams.REPLICATION);
                heartbeats = transport.connect(backup, Streams.PRIMARY_HEARTBEAT);
                inputs = transport.connect(backup, Streams.INPUT);
            }
            return true;
        } catch (final TransportException e) {
            LOG.debug("cannot reach the backup yet", e);
            return false;
        }
    }

    private int encodeHello() {
        final HelloEncoder hello = new HelloEncoder();
        hello.wrapAndApplyHeader(messageBuffer, 0, headerEncoder)
                .protocolVersion(ProtocolVersion.CURRENT)
                .pageBytes(GuestMemory.PAGE_BYTES)
                .sessionId(current.sessionId())
                .generation(current.generation())
                .ramBytes(current.ramBytes())
                .heartbeatIntervalMicros(detector.intervalNanos() / 1000)
                .firstEpoch(current.firstEpoch())
                .vmName(current.vmName())
                .replyEndpoint(transport.boundEndpoint(replies).toString())
                .qemuVersion(current.qemuVersion())
                .deviceInventory(current.deviceInventory())
                .disks(current.disks());
        return MessageHeaderEncoder.ENCODED_LENGTH + hello.encodedLength();
    }

    private int beat() {
        if (session.phase() != PrimarySession.Phase.OPEN || nowNanos < nextHeartbeatNanos) {
            return 0;
        }
        nextHeartbeatNanos = nowNanos + detector.intervalNanos();
        heartbeat
                .wrapAndApplyHeader(messageBuffer, 0, headerEncoder)
                .sessionId(current.sessionId())
                .generation(current.generation())
                .lastAcknowledgedEpoch(session.acknowledgedEpoch())
                .echoedBackupNanos(newestBackupNanos);
        heartbeats.offer(messageBuffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + PrimaryHeartbeatEncoder.BLOCK_LENGTH);
        return 1;
    }

    private int sendNotice() {
        if (heartbeats == null) {
            return 0;
        }
        final int lengthBytes = notices.encode(messageBuffer, headerEncoder, current, nowNanos);
        if (lengthBytes == 0) {
            return 0;
        }
        heartbeats.offer(messageBuffer, 0, lengthBytes);
        return 1;
    }

    private void checkEncoder() {
        final String failure = pipeline.failure();
        if (failure != null && session.phase() == PrimarySession.Phase.OPEN) {
            lose(failure);
        }
    }

    private void checkSilence() {
        if (sender.isCheckpointSent()) {
            detector.endPatience();
        }
        if (detector.tick(nowNanos) && session.phase() == PrimarySession.Phase.OPEN) {
            lose("it was silent for " + detector.silenceNanos() / 1_000_000 + " ms");
        }
    }

    private void checkProgress() {
        if (session.phase() == PrimarySession.Phase.OPEN
                && progress.isStalled(
                        nowNanos,
                        sender.isAwaitingMoreThan(session.acknowledgedEpoch()),
                        session.acknowledgedEpoch(),
                        replication.positionLimit(),
                        session.appliedDiskEpoch())) {
            lose("it lives, but has taken nothing in for " + progress.limitNanos() / 1_000_000_000 + " s");
        }
    }

    private void lose(final String reason) {
        // No sign of life leaves from here on: the backup's own detector decides what becomes of the replica.
        endSession();
        pipeline.abort();
        session.lost(reason);
    }

    private void onMessage(final DirectBuffer buffer, final int offset, final int length, final Header header) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH) {
            return;
        }
        headerDecoder.wrap(buffer, offset);
        if (headerDecoder.schemaId() != MessageHeaderDecoder.SCHEMA_ID) {
            return;
        }
        final int block = headerDecoder.blockLength();
        final int afterBlock = length - MessageHeaderDecoder.ENCODED_LENGTH - block;
        if (afterBlock < 0) {
            LOG.debug("message {} is cut off", headerDecoder.templateId());
            return;
        }
        switch (headerDecoder.templateId()) {
            case EpochAckDecoder.TEMPLATE_ID -> {
                if (block >= EpochAckDecoder.BLOCK_LENGTH) {
                    onAck(epochAck.wrapAndApplyHeader(buffer, offset, headerDecoder));
                }
            }
            case BackupHeartbeatDecoder.TEMPLATE_ID -> {
                if (block >= BackupHeartbeatDecoder.BLOCK_LENGTH) {
                    backupHeartbeat.wrapAndApplyHeader(buffer, offset, headerDecoder);
                    if (isOfThisSession(backupHeartbeat.sessionId())) {
                        newestBackupNanos = backupHeartbeat.backupNanos();
                        session.disksApplied(backupHeartbeat.appliedDiskEpoch());
                    }
                }
            }
            case NoticeReceivedDecoder.TEMPLATE_ID -> {
                if (block >= NoticeReceivedDecoder.BLOCK_LENGTH) {
                    noticeReceived.wrapAndApplyHeader(buffer, offset, headerDecoder);
                    if (isOfThisSession(noticeReceived.sessionId())) {
                        notices.onReceived();
                    }
                }
            }
            case SwitchoverAnswerDecoder.TEMPLATE_ID -> {
                if (block >= SwitchoverAnswerDecoder.BLOCK_LENGTH
                        && afterBlock >= SwitchoverAnswerDecoder.textHeaderLength()) {
                    onSwitchoverAnswer(
                            switchoverAnswer.wrapAndApplyHeader(buffer, offset, headerDecoder), offset + length);
                }
            }
            case WelcomeDecoder.TEMPLATE_ID -> {
                if (block >= WelcomeDecoder.BLOCK_LENGTH && afterBlock >= WelcomeDecoder.disksHeaderLength()) {
                    onWelcome(welcome.wrapAndApplyHeader(buffer, offset, headerDecoder), offset + length);
                }
            }
            case RefusalDecoder.TEMPLATE_ID -> {
                if (block >= RefusalDecoder.BLOCK_LENGTH && afterBlock >= RefusalDecoder.textHeaderLength()) {
                    onRefusal(refusal.wrapAndApplyHeader(buffer, offset, headerDecoder), offset + length);
                }
            }
            case InputAckDecoder.TEMPLATE_ID -> {
                if (block >= InputAckDecoder.BLOCK_LENGTH) {
                    onInputAck(inputAck.wrapAndApplyHeader(buffer, offset, headerDecoder));
                }
            }
            case DiskDifferencesDecoder.TEMPLATE_ID -> {
                if (block >= DiskDifferencesDecoder.BLOCK_LENGTH
                        && afterBlock >= DiskDifferencesDecoder.RangesDecoder.HEADER_SIZE) {
                    onDifferences(diskDifferences.wrapAndApplyHeader(buffer, offset, headerDecoder), offset + length);
                }
            }
            case VerifyReportDecoder.TEMPLATE_ID -> {
                if (block >= VerifyReportDecoder.BLOCK_LENGTH
                        && afterBlock >= VerifyReportDecoder.FirstDifferingDecoder.HEADER_SIZE) {
                    onVerifyReport(verifyReport.wrapAndApplyHeader(buffer, offset, headerDecoder), offset + length);
                }
            }
            default -> LOG.debug("message {} is not for a primary", headerDecoder.templateId());
        }
    }

    private boolean isOfThisSession(final long sessionId) {
        if (sessionId != current.sessionId()) {
            return false;
        }
        detector.heard();
        return true;
    }

    private void onSwitchoverAnswer(final SwitchoverAnswerDecoder message, final int limit) {
        if (!isOfThisSession(message.sessionId())) {
            return;
        }
        final SwitchoverStage stage = switch (message.stageRaw()) {
            case 0 -> SwitchoverStage.LOADED;
            case 1 -> SwitchoverStage.RUNNING;
            case 2 -> SwitchoverStage.FAILED;
            default -> SwitchoverStage.NULL_VAL;
        };
        final long generation = message.generation();
        if (!notices.onSwitchoverAnswer(stage, message.epoch(), generation, nowNanos)) {
            return;
        }
        final boolean whole =
                message.limit() + SwitchoverAnswerDecoder.textHeaderLength() + message.textLength() <= limit;
        session.switchoverAnswered(new PrimarySession.SwitchoverReply(stage, generation, whole ? message.text() : ""));
    }

    private void onWelcome(final WelcomeDecoder message, final int limit) {
        if (isOfThisSession(message.sessionId()) && session.phase() == PrimarySession.Phase.GREETING) {
            final boolean whole = message.limit() + WelcomeDecoder.disksHeaderLength() + message.disksLength() <= limit;
            final List<DiskIdentity> disks = whole ? fittingDisks(message.disks()) : null;
            if (disks == null) {
                lose("it welcomed this guest with other disks");
                return;
            }
            detector.start(nowNanos);
            progress.start(nowNanos);
            newestBackupNanos = 0;
            sender.open(replication, current.sessionId(), current.firstEpoch());
            inputSender.open(inputs, current.sessionId());
            if (replaysInput) {
                if (message.inputWindowBytes() < InboundLog.MIN_WINDOW_BYTES) {
                    lose("it has no room for input: " + message.inputWindowBytes() + " bytes");
                    return;
                }
                inputSender.replayInput(message.inputWindowBytes());
                sender.replaysInput(inboundLog);
            }
            session.opened(
                    Math.clamp(
                            TimeUnit.MICROSECONDS.toNanos(message.takeoverLimitMicros()), 0, MAX_TAKEOVER_LIMIT_NANOS),
                    disks);
        }
    }

    /** Null if they are not the greeting's. */
    private List<DiskIdentity> fittingDisks(final String text) {
        try {
            final List<DiskIdentity> disks = DiskIdentity.parse(text);
            return DiskIdentity.difference(DiskIdentity.parse(current.disks()), disks) == null ? disks : null;
        } catch (final IllegalArgumentException e) {
            return null;
        }
    }

    private void onDifferences(final DiskDifferencesDecoder message, final int limit) {
        final DiskCopies copies = session.diskCopies();
        if (!isOfThisSession(message.sessionId()) || copies == null) {
            return;
        }
        final int disk = message.diskIndex();
        final DiskDifferencesDecoder.RangesDecoder ranges = message.ranges();
        final int count = ranges.count();
        if (ranges.actingBlockLength() < Long.BYTES
                || message.limit() + (long) count * ranges.actingBlockLength() > limit) {
            return;
        }
        for (int i = 0; i < count; i++) {
            copies.onDifference(disk, ranges.next().diskOffset());
        }
    }

    private void onRefusal(final RefusalDecoder message, final int limit) {
        if (!isOfThisSession(message.sessionId())) {
            return;
        }
        final boolean whole = message.limit() + RefusalDecoder.textHeaderLength() + message.textLength() <= limit;
        final PrimarySession.Refusal why =
                new PrimarySession.Refusal(reason(message), message.generation(), whole ? message.text() : "");
        endSession();
        pipeline.abort();
        session.refused(why);
    }

    private static RefusalReason reason(final RefusalDecoder message) {
        for (final RefusalReason reason : RefusalReason.values()) {
            if (reason.value() == message.reasonRaw()) {
                return reason;
            }
        }
        return RefusalReason.NULL_VAL;
    }

    private void onAck(final EpochAckDecoder message) {
        if (!isOfThisSession(message.sessionId()) || session.phase() != PrimarySession.Phase.OPEN) {
            return;
        }
        final long epoch = message.epoch();
        if (epoch != session.acknowledgedEpoch() + 1 || epoch > sender.lastSentEpoch()) {
            // Not thrown: Aeron would keep an exception of a message's handler to itself.
            lose("it acknowledged epoch " + epoch + " after " + session.acknowledgedEpoch());
            return;
        }
        newestBackupNanos = message.backupNanos();
        if (sender.isRestorable(epoch)) {
            inputSender.onCommitted(epoch);
        }
        final TransferTimes transfers = sender.transfers();
        if (transfers.knows(epoch)) {
            pipeline.onLink(transfers.bytes(epoch), nowNanos - transfers.startNanos(epoch), transfers.saturated(epoch));
        }
        // In this order: whoever sees it acknowledged finds what is noted of it, and whoever is woken sees it
        // acknowledged.
        ackListener.onAcknowledged(epoch, sender.isRestorable(epoch), nowNanos);
        session.acknowledged(epoch);
        ackListener.afterAcknowledged();
    }

    private void onInputAck(final InputAckDecoder message) {
        if (isOfThisSession(message.sessionId())
                && session.phase() == PrimarySession.Phase.OPEN
                && !inputSender.onAcknowledged(message.position())) {
            lose("it acknowledged input up to position " + message.position() + ", which it was not sent");
        }
    }

    private void onVerifyReport(final VerifyReportDecoder message, final int limit) {
        if (!isOfThisSession(message.sessionId())) {
            return;
        }
        final VerifyReportDecoder.FirstDifferingDecoder group = message.firstDiffering();
        final int count = group.count();
        if (group.actingBlockLength() < Long.BYTES
                || message.limit() + (long) count * group.actingBlockLength() > limit) {
            return;
        }
        final List<Long> pages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            pages.add(group.next().pageIndex());
        }
        session.verified(new PrimarySession.VerifyReport(
                message.epoch(), message.comparedPages(), message.differingPages(), pages));
    }

    @Override
    public void onClose() {
        endSession();
        CloseHelper.quietClose(replies);
        transport.close();
    }

    @Override
    public String roleName() {
        return "link";
    }
}
