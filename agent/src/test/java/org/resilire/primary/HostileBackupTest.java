package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.NoOpIdleStrategy;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.disk.PrimaryDisk;
import org.resilire.epoch.EpochPipeline;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.ReplicationMode;
import org.resilire.failover.FailureDetector;
import org.resilire.fault.FailurePoints;
import org.resilire.net.GateMode;
import org.resilire.net.InboundLog;
import org.resilire.net.OutputEpochs;
import org.resilire.simd.ScalarBlockKernels;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.LogCapture;
import org.resilire.synthetic.Mutations;
import org.resilire.synthetic.SteppedClock;
import org.resilire.synthetic.SyntheticMemory;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.resilire.wire.sbe.BackupHeartbeatEncoder;
import org.resilire.wire.sbe.DiskDifferencesEncoder;
import org.resilire.wire.sbe.EndProtectionDecoder;
import org.resilire.wire.sbe.EpochAckEncoder;
import org.resilire.wire.sbe.EpochEndDecoder;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.HelloDecoder;
import org.resilire.wire.sbe.InputAckEncoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.NoticeReceivedEncoder;
import org.resilire.wire.sbe.RefusalEncoder;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverAnswerEncoder;
import org.resilire.wire.sbe.SwitchoverStage;
import org.resilire.wire.sbe.VerifyReportEncoder;
import org.resilire.wire.sbe.WelcomeEncoder;

/** Link and peer on the test's own thread: an exception that escaped the link's duty cycle would fail the test. */
@Timeout(120)
class HostileBackupTest {

    private static final int MESSAGES = 10_000;
    private static final int MESSAGES_A_SESSION = 150;
    private static final long MARK = 0x4d41524b;
    private static final long PREPARED_EPOCH = 9;
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long STALL_LIMIT_NANOS = 20 * 10 * INTERVAL_NANOS;

    @TempDir
    Path directory;

    private final Random random = new Random(71);
    private final Mutations mutations = new Mutations(random);
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[4096]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final PrimarySession session = new PrimarySession();
    private final List<Long> released = new ArrayList<>();
    private final List<Long> acknowledged = new ArrayList<>();
    private final SteppedClock clock = new SteppedClock();
    private final OutputEpochs output = new OutputEpochs(GateMode.HOLD);
    private final InboundLog inboundLog = new InboundLog(output, 64 << 10);
    private ModeParts mode;
    private EpochPipeline pipeline;
    private AgentRunner encoder;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onMessage);
    private SyntheticMemory memory;
    private EpochWriter writer;
    private Endpoint endpoint;
    private PrimaryLink link;
    private Transport transport;
    private Subscription replication;
    private Subscription beats;
    private ExclusivePublication replies;
    private LogCapture transportLog;
    private LogCapture log;
    private long greetedSession;
    private long epochsSeen;
    private long endProtectionSession = -1;

    @BeforeEach
    void open() {
        log = new LogCapture("org.resilire.primary");
        transportLog = new LogCapture("org.resilire.transport");
        memory = SyntheticMemory.ofGuest(directory.resolve("ram"), 4);
        mode = new ModeParts(ReplicationMode.remus(), memory.memory().segment(), new ScalarBlockKernels());
        pipeline = new EpochPipeline(
                new EpochPipeline.Size(16, 64 << 10, 16),
                NoOpIdleStrategy.INSTANCE,
                mode,
                (kind, encodeNanos, batches, compressed) -> {},
                SystemNanoClock.INSTANCE);
        writer = new EpochWriter(pipeline.captured(), mode, true);
        encoder = new AgentRunner(
                new SleepingIdleStrategy(20_000),
                failure -> {
                    throw new AssertionError(failure);
                },
                null,
                pipeline.encoder());
        AgentRunner.startOnThread(encoder);
        transport = TestTransport.start(directory.resolve("backup"));
        endpoint = TestTransport.freeEndpoint();
        replication = transport.listen(endpoint, Streams.REPLICATION);
        beats = transport.listen(endpoint, Streams.PRIMARY_HEARTBEAT);
        link = new PrimaryLink(
                TestTransport.start(directory.resolve("primary")),
                new EpochSender(
                        pipeline.encoded(), new DiskChangeSender(new PrimaryDisk[0]), FailurePoints.NONE, () -> {}),
                pipeline,
                inboundLog,
                false,
                session,
                new FailureDetector(INTERVAL_NANOS, 10 * INTERVAL_NANOS),
                (epoch, restorable, nowNanos) -> {
                    acknowledged.add(epoch);
                    if (restorable) {
                        released.add(epoch);
                    }
                },
                clock);
    }

    @AfterEach
    void close() {
        link.onClose();
        transport.close();
        memory.close();
        encoder.close();
        pipeline.close();
        mode.close();
        inboundLog.close();
        output.close();
        log.close();
        transportLog.close();
    }

    private void work() {
        link.doWork();
        transport.doWork();
        replication.poll(assembler, 50);
        beats.poll(assembler, 50);
    }

    private void onMessage(final DirectBuffer message, final int offset, final int length, final Header aeronHeader) {
        final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder().wrap(message, offset);
        switch (messageHeader.templateId()) {
            case HelloDecoder.TEMPLATE_ID -> {
                final HelloDecoder hello = new HelloDecoder().wrapAndApplyHeader(message, offset, messageHeader);
                greetedSession = hello.sessionId();
                hello.vmName();
                if (replies == null) {
                    replies = transport.connect(Endpoint.parse(hello.replyEndpoint()), Streams.REPLY);
                }
            }
            case EpochEndDecoder.TEMPLATE_ID -> epochsSeen++;
            case EndProtectionDecoder.TEMPLATE_ID ->
                endProtectionSession = new EndProtectionDecoder()
                        .wrapAndApplyHeader(message, offset, messageHeader)
                        .sessionId();
            default -> {
                // Not what these tests are about.
            }
        }
    }

    private void greet(final long sessionId) {
        link.open(new Greeting(
                endpoint, "db", 1, sessionId, 1, memory.memory().lengthBytes(), "9.9.9", "qemu 9.9.9\n", ""));
        Await.until("the primary greets", () -> greetedSession == sessionId, () -> {
            // It greets every now and then.
            clock.pass(TimeUnit.MILLISECONDS.toNanos(20));
            work();
        });
    }

    private void openSession(final long sessionId) {
        greet(sessionId);
        Await.until("the session is open", () -> session.phase() == PrimarySession.Phase.OPEN, () -> {
            sendOrDrop(welcome(sessionId, 5_000));
            work();
        });
    }

    private void closeSession() {
        link.close();
        Await.until("the session is closed", () -> session.phase() == PrimarySession.Phase.CLOSED, this::work);
        pipeline.restart();
    }

    private void sendOrDrop(final byte[] message) {
        replies.offer(new UnsafeBuffer(message), 0, message.length);
    }

    private void send(final byte[] message) {
        final UnsafeBuffer bytes = new UnsafeBuffer(message);
        Await.until("a reply is sent", () -> replies.offer(bytes, 0, message.length) > 0, this::work);
    }

    private byte[] bytes(final int bodyBytes) {
        final byte[] message = new byte[MessageHeaderEncoder.ENCODED_LENGTH + bodyBytes];
        buffer.getBytes(0, message);
        return message;
    }

    private byte[] welcome(final long sessionId, final long limitMicros) {
        final WelcomeEncoder welcome = new WelcomeEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(1)
                .takeoverLimitMicros(limitMicros)
                .disks("");
        return bytes(welcome.encodedLength());
    }

    private byte[] ack(final long sessionId, final long epoch) {
        new EpochAckEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch);
        return bytes(EpochAckEncoder.BLOCK_LENGTH);
    }

    private byte[] inputAck(final long sessionId, final long position) {
        new InputAckEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .position(position);
        return bytes(InputAckEncoder.BLOCK_LENGTH);
    }

    private byte[] diskDifferences(final long sessionId) {
        final DiskDifferencesEncoder differences = new DiskDifferencesEncoder();
        differences.wrapAndApplyHeader(buffer, 0, header).sessionId(sessionId).diskIndex(0);
        final DiskDifferencesEncoder.RangesEncoder ranges = differences.rangesCount(2);
        ranges.next().diskOffset(0);
        ranges.next().diskOffset(-1);
        return bytes(differences.encodedLength());
    }

    private byte[] refusal(final long sessionId, final RefusalReason reason, final String text) {
        final RefusalEncoder refusal = new RefusalEncoder();
        refusal.wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(7)
                .reason(reason)
                .text(text);
        return bytes(refusal.encodedLength());
    }

    private byte[] verifyReport(final long sessionId, final long epoch) {
        final VerifyReportEncoder report = new VerifyReportEncoder();
        report.wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch)
                .comparedPages(4)
                .differingPages(2);
        final VerifyReportEncoder.FirstDifferingEncoder pages = report.firstDifferingCount(2);
        pages.next().pageIndex(1);
        pages.next().pageIndex(3);
        return bytes(report.encodedLength());
    }

    private byte[] heartbeat(final long sessionId) {
        new BackupHeartbeatEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(1);
        return bytes(BackupHeartbeatEncoder.BLOCK_LENGTH);
    }

    private byte[] noticeReceived(final long sessionId) {
        new NoticeReceivedEncoder().wrapAndApplyHeader(buffer, 0, header).sessionId(sessionId);
        return bytes(NoticeReceivedEncoder.BLOCK_LENGTH);
    }

    private byte[] switchoverAnswer(final long sessionId, final long epoch) {
        final SwitchoverAnswerEncoder answer = new SwitchoverAnswerEncoder();
        answer.wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(1)
                .epoch(epoch)
                .stage(SwitchoverStage.LOADED)
                .text("a text");
        return bytes(answer.encodedLength());
    }

    private void sendEpoch(final long epoch, final EpochKind kind) {
        writer.begin(epoch, kind);
        if (kind == EpochKind.CHECKPOINT) {
            writer.captureDeviceState(16);
        }
        writer.end();
        final long before = epochsSeen;
        Await.until("the epoch is sent", () -> epochsSeen > before, this::work);
    }

    private void awaitPhase(final PrimarySession.Phase phase) {
        Await.until("the session is " + phase, () -> session.phase() == phase, this::work);
    }

    @Test
    void shouldSurviveHostileMessages() {
        int sent = 0;
        int ended = 0;
        int sessions = 0;
        while (sent < MESSAGES) {
            sessions++;
            // Far from each other: what was spoilt for one must not be right for the next.
            final long id = sessions * 0x9e3779b97f4a7c15L;
            if (sessions % 2 == 0) {
                openSession(id);
                link.prepareSwitchover(PREPARED_EPOCH);
            } else {
                greet(id);
                Await.until("somebody listens", () -> replies.isConnected(), this::work);
            }
            for (int i = 0; i < MESSAGES_A_SESSION && !isOver(); i++, sent++) {
                send(hostile(id));
            }
            // The last word is heard in any case, unless the session was ended.
            send(verifyReport(id, MARK));
            Await.until(
                    "the link has read it all",
                    () -> isOver()
                            || (session.verifyReport() != null
                                    && session.verifyReport().epoch() == MARK),
                    this::work);
            ended += isOver() ? 1 : 0;
            closeSession();
        }
        assertTrue(ended > 20, "only " + ended + " sessions were ended");
        assertTrue(ended < sessions, "not a single session survived");
        assertEquals(List.of(), acknowledged, "nothing was sent, so nothing is acknowledged");
        assertEquals(List.of(), transportLog.complaints(), "an exception went astray in a message's handler");
    }

    private boolean isOver() {
        return session.phase() == PrimarySession.Phase.LOST || session.phase() == PrimarySession.Phase.REFUSED;
    }

    private byte[] hostile(final long id) {
        if (random.nextInt(40) == 0) {
            // What ends a session, if it is spoilt so that it can be read.
            return switch (random.nextInt(3)) {
                case 0 -> mutations.spoil(ack(id, 1));
                case 1 -> mutations.spoil(inputAck(id, 1));
                default -> mutations.spoil(refusal(id, RefusalReason.SUPERSEDED, "a text"), 8);
            };
        }
        return switch (random.nextInt(9)) {
            case 0 -> mutations.garbage();
            case 1 -> withHeader(id, mutations.garbage());
            case 2 -> mutations.spoil(welcome(id, random.nextLong()));
            case 3 -> mutations.spoil(heartbeat(id));
            case 4 -> mutations.spoil(noticeReceived(id));
            case 5 -> mutations.spoil(refusal(~id, RefusalReason.BUSY, "a text of some length"));
            case 6 -> mutations.spoil(switchoverAnswer(id, PREPARED_EPOCH));
            case 7 -> mutations.spoil(diskDifferences(id));
            default -> mutations.spoil(verifyReport(id, -5));
        };
    }

    private byte[] withHeader(final long id, final byte[] garbage) {
        final byte[] message = new byte[MessageHeaderDecoder.ENCODED_LENGTH + garbage.length];
        System.arraycopy(heartbeat(id), 0, message, 0, MessageHeaderDecoder.ENCODED_LENGTH);
        System.arraycopy(garbage, 0, message, MessageHeaderDecoder.ENCODED_LENGTH, garbage.length);
        message[2] = (byte) (19 + random.nextInt(25));
        message[0] = (byte) random.nextInt(40);
        return message;
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 0, -1, 3, Long.MAX_VALUE, Long.MIN_VALUE})
    void shouldEndTheSessionOnAWrongAcknowledgement(final long wrong) {
        openSession(1);
        sendEpoch(1, EpochKind.SYNCHRONISATION);
        send(ack(1, wrong));
        awaitPhase(PrimarySession.Phase.LOST);
        assertEquals("it acknowledged epoch " + wrong + " after 0", session.lossReason());
        assertEquals(List.of(), acknowledged);
    }

    /** Count and length of the group are the longest there are; their product is more than an int holds. */
    @Test
    void shouldNotReadAReportBeyondItsEnd() {
        openSession(1);
        final byte[] report = verifyReport(1, 5);
        final int group = MessageHeaderEncoder.ENCODED_LENGTH + VerifyReportEncoder.BLOCK_LENGTH;
        Arrays.fill(report, group, group + VerifyReportEncoder.FirstDifferingEncoder.HEADER_SIZE, (byte) -1);
        send(report);
        send(verifyReport(1, MARK));
        Await.until("the next is read", () -> session.verifyReport() != null, this::work);
        assertEquals(MARK, session.verifyReport().epoch());
        assertEquals(List.of(), transportLog.complaints(), "an exception went astray in a message's handler");
    }

    @Test
    void shouldEndTheSessionOnARepeatedAcknowledgement() {
        openSession(1);
        sendEpoch(1, EpochKind.SYNCHRONISATION);
        sendEpoch(2, EpochKind.CHECKPOINT);
        sendEpoch(3, EpochKind.CHECKPOINT);
        send(ack(1, 1));
        send(ack(1, 2));
        Await.until("two are acknowledged", () -> session.acknowledgedEpoch() == 2, this::work);
        send(ack(1, 2));
        awaitPhase(PrimarySession.Phase.LOST);
        send(ack(1, 3));
        closeSession();
        assertEquals(List.of(1L, 2L), acknowledged);
    }

    @Test
    void shouldEndTheSessionOfABackupThatLivesButTakesNothingIn() {
        openSession(1);
        sendEpoch(1, EpochKind.CHECKPOINT);
        send(ack(1, 1));
        Await.until("the epoch is acknowledged", () -> session.acknowledgedEpoch() == 1, this::work);
        for (int i = 0; i < 600; i++) {
            passABit();
        }
        assertEquals(PrimarySession.Phase.OPEN, session.phase(), "nothing is awaited");

        final long sentNanos = clock.nanoTime();
        sendEpoch(2, EpochKind.CHECKPOINT);
        Await.until("the session is lost", () -> session.phase() == PrimarySession.Phase.LOST, this::passABit);
        assertEquals("it lives, but has taken nothing in for 4000 s", session.lossReason());
        assertTrue(clock.nanoTime() - sentNanos >= STALL_LIMIT_NANOS);
        assertEquals(List.of(1L), released);
    }

    private void passABit() {
        sendOrDrop(heartbeat(1));
        clock.pass(INTERVAL_NANOS);
        work();
    }

    @Test
    void shouldReleaseOutputOnlyByCheckpoints() {
        openSession(1);
        sendEpoch(1, EpochKind.SYNCHRONISATION);
        sendEpoch(2, EpochKind.SYNCHRONISATION);
        sendEpoch(3, EpochKind.CHECKPOINT);
        send(ack(1, 1));
        send(ack(1, 2));
        Await.until("two are acknowledged", () -> session.acknowledgedEpoch() == 2, this::work);
        assertEquals(List.of(), released);
        send(ack(1, 3));
        Await.until("three are acknowledged", () -> session.acknowledgedEpoch() == 3, this::work);
        assertEquals(List.of(3L), released);
    }

    @Test
    void shouldNotBelieveAnythingOfAnotherSession() {
        openSession(1);
        sendEpoch(1, EpochKind.CHECKPOINT);
        send(ack(2, 1));
        send(refusal(2, RefusalReason.SUPERSEDED, "not you"));
        send(welcome(2, 77));
        send(verifyReport(2, 1));
        send(ack(1, 1));
        Await.until("the epoch is acknowledged", () -> session.acknowledgedEpoch() == 1, this::work);
        assertEquals(PrimarySession.Phase.OPEN, session.phase());
        assertEquals(5_000_000, session.takeoverLimitNanos());
        assertEquals(null, session.verifyReport());
        assertEquals(List.of(1L), acknowledged);
    }

    @Test
    void shouldUnderstandARefusalForAReasonItDoesNotKnow() {
        greet(1);
        final byte[] refusal = refusal(1, RefusalReason.BUSY, "because of something new");
        refusal[MessageHeaderEncoder.ENCODED_LENGTH + 16] = 99;
        Await.until("the session is refused", () -> session.phase() == PrimarySession.Phase.REFUSED, () -> {
            sendOrDrop(refusal);
            work();
        });
        assertEquals("because of something new", session.refusal().text());
        assertEquals(RefusalReason.NULL_VAL, session.refusal().reason());
    }

    @ParameterizedTest
    @CsvSource({"9223372036854775807, 2305843009213693951", "-1, 0", "-9223372036854775808, 0", "1000, 1000000"})
    void shouldNotBeTalkedIntoReleasingOutputEarly(final long limitMicros, final long expectedNanos) {
        greet(1);
        Await.until("the session is open", () -> session.phase() == PrimarySession.Phase.OPEN, () -> {
            sendOrDrop(welcome(1, limitMicros));
            work();
        });
        assertEquals(expectedNanos, session.takeoverLimitNanos());
    }

    @Test
    void shouldNotSayToOneSessionWhatWasMeantForAnother() {
        openSession(1);
        link.announceEndOfProtection();
        Await.until("the backup hears it", () -> endProtectionSession == 1, this::work);
        assertFalse(link.isNoticeAnswered());
        closeSession();
        openSession(2);
        assertFalse(link.isNoticeAnswered(), "nobody answered: what is held must not leave for that");
        sendEpoch(1, EpochKind.CHECKPOINT);
        send(ack(2, 1));
        Await.until("the epoch is acknowledged", () -> session.acknowledgedEpoch() == 1, this::work);
        assertEquals(1, endProtectionSession);
    }
}
