package org.resilire.backup;

import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.codec.PageRecord;
import org.resilire.epoch.EpochMessages;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.guest.GuestMemory;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.resilire.wire.ProtocolVersion;
import org.resilire.wire.sbe.BackupHeartbeatDecoder;
import org.resilire.wire.sbe.CommitSwitchoverEncoder;
import org.resilire.wire.sbe.Compression;
import org.resilire.wire.sbe.DeviceStateEncoder;
import org.resilire.wire.sbe.EndProtectionEncoder;
import org.resilire.wire.sbe.EpochAckDecoder;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.GuestLostEncoder;
import org.resilire.wire.sbe.HelloEncoder;
import org.resilire.wire.sbe.InboundFrameEncoder;
import org.resilire.wire.sbe.InputBoundaryEncoder;
import org.resilire.wire.sbe.InputEntryEncoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.NoticeReceivedDecoder;
import org.resilire.wire.sbe.PageBatchEncoder;
import org.resilire.wire.sbe.PageHashesEncoder;
import org.resilire.wire.sbe.PrepareSwitchoverEncoder;
import org.resilire.wire.sbe.PrimaryHeartbeatEncoder;
import org.resilire.wire.sbe.RefusalDecoder;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverAnswerDecoder;
import org.resilire.wire.sbe.SwitchoverStage;
import org.resilire.wire.sbe.VerifyReportDecoder;
import org.resilire.wire.sbe.WelcomeDecoder;

/** Says to a backup what a test wants it to hear, message by message. It works only within its methods, on the test's thread. */
final class ScriptedPrimary implements AutoCloseable {

    private static final long GREETING_INTERVAL_NANOS = 20_000_000;

    /** What the next greeting says. */
    int protocolVersion;

    int pageBytes;
    long sessionId = 1;
    long generation;
    long ramBytes;
    long heartbeatIntervalMicros;
    long firstEpoch;
    String vmName;
    String replyEndpoint;
    String qemuVersion;
    String deviceInventory;
    String disks;

    /** What came. */
    long welcomes;

    long takeoverLimitMicros;
    RefusalReason refusal;
    String refusalText;
    long refusedGeneration;
    final List<Long> acknowledged = new ArrayList<>();
    int heartbeats;
    /** What its heartbeats echo. */
    long newestBackupNanos;

    int noticesReceived;
    final List<SwitchoverStage> switchoverAnswers = new ArrayList<>();
    int verifyReports;
    long differingPages = -1;

    /** Done whenever this waits: the other side's work, if the test does that too. */
    Runnable meanwhile = () -> LockSupport.parkNanos(20_000);

    private final int pages;
    private final Transport transport;
    private final Subscription replies;
    private final ExclusivePublication replication;
    private final ExclusivePublication beats;
    private final ExclusivePublication inputs;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final FragmentAssembler assembler = new FragmentAssembler(this::onReply);

    ScriptedPrimary(final Path directory, final Endpoint backup, final int pages) {
        this(directory, backup, pages, "127.0.0.1");
    }

    /** @param host its own address */
    ScriptedPrimary(final Path directory, final Endpoint backup, final int pages, final String host) {
        this.pages = pages;
        transport = TestTransport.start(directory);
        replies = transport.listen(new Endpoint(host, 0), Streams.REPLY);
        setDefaults();
        replication = transport.connect(backup, Streams.REPLICATION);
        beats = transport.connect(backup, Streams.PRIMARY_HEARTBEAT);
        inputs = transport.connect(backup, Streams.INPUT);
    }

    /** From here on greetings fit again. */
    void setDefaults() {
        protocolVersion = ProtocolVersion.CURRENT;
        pageBytes = GuestMemory.PAGE_BYTES;
        generation = 1;
        ramBytes = (long) pages * GuestMemory.PAGE_BYTES;
        heartbeatIntervalMicros = TestBackup.DETECT_INTERVAL_NANOS / 1000;
        firstEpoch = 1;
        vmName = TestBackup.VM;
        replyEndpoint = transport.boundEndpoint(replies).toString();
        qemuVersion = TestBackup.QEMU_VERSION;
        deviceInventory = TestBackup.INVENTORY;
        disks = "";
    }

    void work() {
        transport.doWork();
        replies.poll(assembler, 50);
        meanwhile.run();
    }

    void await(final String what, final BooleanSupplier condition) {
        Await.until(what, condition, this::work);
    }

    /** Listens for a while: what must not come would have come by then. */
    void listenFor(final long millis) {
        final long end = System.nanoTime() + millis * 1_000_000;
        await("time passes", () -> System.nanoTime() > end);
    }

    void send(final byte[] message) {
        offer(replication, message);
    }

    void sendOnHeartbeatStream(final byte[] message) {
        offer(beats, message);
    }

    void sendOnInputStream(final byte[] message) {
        offer(inputs, message);
    }

    private void offer(final ExclusivePublication to, final byte[] message) {
        final UnsafeBuffer buffer = new UnsafeBuffer(message);
        await("a message is sent", () -> to.offer(buffer, 0, message.length) > 0);
    }

    byte[] hello() {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64 << 10]);
        final HelloEncoder hello = new HelloEncoder();
        hello.wrapAndApplyHeader(buffer, 0, header)
                .protocolVersion(protocolVersion)
                .pageBytes(pageBytes)
                .sessionId(sessionId)
                .generation(generation)
                .ramBytes(ramBytes)
                .heartbeatIntervalMicros(heartbeatIntervalMicros)
                .firstEpoch(firstEpoch)
                .vmName(vmName)
                .replyEndpoint(replyEndpoint)
                .qemuVersion(qemuVersion)
                .deviceInventory(deviceInventory)
                .disks(disks);
        return bytes(buffer, hello.encodedLength());
    }

    private static byte[] bytes(final DirectBuffer buffer, final int bodyBytes) {
        final byte[] bytes = new byte[MessageHeaderEncoder.ENCODED_LENGTH + bodyBytes];
        buffer.getBytes(0, bytes);
        return bytes;
    }

    /** Greets until there is an answer, as a primary does. */
    void greet() {
        refusal = null;
        final long before = welcomes;
        final long[] nextNanos = {System.nanoTime()};
        await("the backup answers", () -> {
            if (System.nanoTime() - nextNanos[0] >= 0) {
                nextNanos[0] = System.nanoTime() + GREETING_INTERVAL_NANOS;
                final byte[] hello = hello();
                replication.offer(new UnsafeBuffer(hello), 0, hello.length);
            }
            return welcomes > before || refusal != null;
        });
        // A greeting that is still on its way must not arrive in the middle of what comes next.
        for (int i = 0; i < 3; i++) {
            work();
        }
    }

    ScriptedPrimary open() {
        greet();
        if (refusal != null) {
            throw new AssertionError("refused: " + refusalText);
        }
        acknowledged.clear();
        return this;
    }

    void sendAndAwaitAck(final List<Message> epoch) {
        epoch.forEach(this::send);
        final long number = epoch.getFirst().epoch();
        await("epoch " + number + " is acknowledged", () -> acknowledged.contains(number));
    }

    void send(final Message message) {
        send(encode(message));
    }

    byte[] encode(final Message message) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64 + message.payload().length]);
        final int length = message.payload().length;
        final int block = switch (message.type()) {
            case PAGES -> {
                new PageBatchEncoder()
                        .wrapAndApplyHeader(buffer, 0, header)
                        .sessionId(sessionId)
                        .epoch(message.epoch())
                        .batchIndex(message.batchIndex())
                        .recordCount(message.count())
                        .payloadBytes(length)
                        .decodedBytes(message.decodedBytes())
                        .compression(Compression.get(message.compression()));
                yield PageBatchEncoder.BLOCK_LENGTH;
            }
            case DEVICE_STATE -> {
                new DeviceStateEncoder()
                        .wrapAndApplyHeader(buffer, 0, header)
                        .sessionId(sessionId)
                        .epoch(message.epoch())
                        .batchIndex(message.batchIndex())
                        .recordCount(message.count())
                        .payloadBytes(length)
                        .decodedBytes(message.decodedBytes())
                        .compression(Compression.get(message.compression()));
                yield DeviceStateEncoder.BLOCK_LENGTH;
            }
            case PAGE_HASHES -> {
                new PageHashesEncoder()
                        .wrapAndApplyHeader(buffer, 0, header)
                        .sessionId(sessionId)
                        .epoch(message.epoch())
                        .batchIndex(message.batchIndex())
                        .recordCount(message.count())
                        .payloadBytes(length)
                        .firstPage(message.position());
                yield PageHashesEncoder.BLOCK_LENGTH;
            }
            case END -> {
                new EpochEndEncoder().wrapAndApplyHeader(buffer, 0, header);
                yield 0;
            }
        };
        buffer.putBytes(MessageHeaderEncoder.ENCODED_LENGTH + block, message.payload());
        if (message.type() == EpochMessages.Type.END) {
            new EpochEndEncoder()
                    .wrap(buffer, MessageHeaderEncoder.ENCODED_LENGTH)
                    .sessionId(sessionId);
        }
        return bytes(buffer, block + length);
    }

    byte[] heartbeat() {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new PrimaryHeartbeatEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation)
                .echoedBackupNanos(newestBackupNanos);
        return bytes(buffer, PrimaryHeartbeatEncoder.BLOCK_LENGTH);
    }

    /** @param kind as on the wire */
    byte[] inputEntry(final int kind, final long position, final boolean isFirst, final byte[] payload) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64 + payload.length]);
        new InputEntryEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .position(position)
                .kind((short) kind)
                .isFirst((short) (isFirst ? 1 : 0));
        buffer.putBytes(MessageHeaderEncoder.ENCODED_LENGTH + InputEntryEncoder.BLOCK_LENGTH, payload);
        return bytes(buffer, InputEntryEncoder.BLOCK_LENGTH + payload.length);
    }

    byte[] inboundFrame(final long epoch, final byte[] payload) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64 + payload.length]);
        new InboundFrameEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch);
        buffer.putBytes(MessageHeaderEncoder.ENCODED_LENGTH + InboundFrameEncoder.BLOCK_LENGTH, payload);
        return bytes(buffer, InboundFrameEncoder.BLOCK_LENGTH + payload.length);
    }

    byte[] inputBoundary(final long epoch, final long position) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new InputBoundaryEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch)
                .position(position);
        return bytes(buffer, InputBoundaryEncoder.BLOCK_LENGTH);
    }

    byte[] guestLost() {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new GuestLostEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation);
        return bytes(buffer, GuestLostEncoder.BLOCK_LENGTH);
    }

    byte[] endProtection() {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new EndProtectionEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(generation);
        return bytes(buffer, EndProtectionEncoder.BLOCK_LENGTH);
    }

    byte[] prepareSwitchover(final long epoch) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new PrepareSwitchoverEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .epoch(epoch);
        return bytes(buffer, PrepareSwitchoverEncoder.BLOCK_LENGTH);
    }

    byte[] commitSwitchover(final long newGeneration) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[64]);
        new CommitSwitchoverEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(sessionId)
                .generation(newGeneration);
        return bytes(buffer, CommitSwitchoverEncoder.BLOCK_LENGTH);
    }

    /** All memory of a synthetic guest after so many steps; with its device state if it is a checkpoint. */
    List<Message> epoch(final long number, final EpochKind kind, final long steps) {
        return epochMessages(number, kind, steps).end();
    }

    EpochMessages epochMessages(final long number, final EpochKind kind, final long steps) {
        final byte[] memory = SyntheticGuest.memoryAfter(steps, pages);
        final EpochMessages epoch = new EpochMessages(number, kind);
        for (int page = 0; page < pages; page++) {
            final byte[] record = new byte[PageRecord.MAX_BYTES];
            PageRecord.putHeader(MemorySegment.ofArray(record), 0, page, PageRecord.BLOCKS, -1L);
            System.arraycopy(
                    memory, page * GuestMemory.PAGE_BYTES, record, PageRecord.HEADER_BYTES, GuestMemory.PAGE_BYTES);
            epoch.pages(1, record);
        }
        if (kind == EpochKind.CHECKPOINT) {
            final byte[] state = new byte[SyntheticGuest.DEVICE_STATE_BYTES];
            SyntheticGuest.writeDeviceState(MemorySegment.ofArray(state), steps);
            // In two messages, as a large one would come; the first says that it is all zero.
            final byte[] zeroPage = new byte[PageRecord.HEADER_BYTES];
            PageRecord.putHeader(MemorySegment.ofArray(zeroPage), 0, 0, PageRecord.ZERO, 0);
            epoch.deviceStateRecords(1, zeroPage).deviceState(state);
        }
        return epoch;
    }

    static byte[] memoryOf(final TestBackup backup) {
        return backup.ram().segment().toArray(ValueLayout.JAVA_BYTE);
    }

    private void onReply(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        final MessageHeaderDecoder message = new MessageHeaderDecoder().wrap(buffer, offset);
        switch (message.templateId()) {
            case WelcomeDecoder.TEMPLATE_ID -> {
                final WelcomeDecoder welcome = new WelcomeDecoder().wrapAndApplyHeader(buffer, offset, message);
                if (welcome.sessionId() == sessionId) {
                    welcomes++;
                    takeoverLimitMicros = welcome.takeoverLimitMicros();
                }
            }
            case RefusalDecoder.TEMPLATE_ID -> {
                final RefusalDecoder refused = new RefusalDecoder().wrapAndApplyHeader(buffer, offset, message);
                if (refused.sessionId() == sessionId) {
                    refusal = refused.reason();
                    refusedGeneration = refused.generation();
                    refusalText = refused.text();
                }
            }
            case EpochAckDecoder.TEMPLATE_ID -> {
                final EpochAckDecoder ack = new EpochAckDecoder().wrapAndApplyHeader(buffer, offset, message);
                if (ack.sessionId() == sessionId) {
                    acknowledged.add(ack.epoch());
                    newestBackupNanos = ack.backupNanos();
                }
            }
            case BackupHeartbeatDecoder.TEMPLATE_ID -> {
                heartbeats++;
                newestBackupNanos = new BackupHeartbeatDecoder()
                        .wrapAndApplyHeader(buffer, offset, message)
                        .backupNanos();
            }
            case NoticeReceivedDecoder.TEMPLATE_ID -> noticesReceived++;
            case SwitchoverAnswerDecoder.TEMPLATE_ID ->
                switchoverAnswers.add(new SwitchoverAnswerDecoder()
                        .wrapAndApplyHeader(buffer, offset, message)
                        .stage());
            case VerifyReportDecoder.TEMPLATE_ID -> {
                verifyReports++;
                differingPages = new VerifyReportDecoder()
                        .wrapAndApplyHeader(buffer, offset, message)
                        .differingPages();
            }
            default -> throw new AssertionError("a backup says message " + message.templateId());
        }
    }

    @Override
    public void close() {
        transport.close();
    }
}
