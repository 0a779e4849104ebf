package org.resilire.backup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.epoch.EpochMessages;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.guest.GuestMemory;
import org.resilire.net.FrameRing;
import org.resilire.synthetic.LogCapture;
import org.resilire.synthetic.Mutations;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.HelloDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.RefusalReason;

/** Link and peer on the test's own thread: an exception that escaped the link's duty cycle would fail the test. */
@Timeout(120)
class HostilePrimaryTest {

    private static final int PAGES = 4;
    private static final int SESSIONS = 1_100;
    private static final int MESSAGES_A_SESSION = 10;
    private static final int INPUT_SESSIONS = 200;
    private static final int INPUT_MESSAGES_A_SESSION = 20;
    private static final int PAYLOAD_BYTES = 72;

    @TempDir
    Path directory;

    private final Random random = new Random(61);
    private final Mutations mutations = new Mutations(random);
    private TestBackup backup;
    private BackupLink link;
    private ScriptedPrimary primary;
    private LogCapture log;
    private LogCapture transportLog;
    private boolean accepting = true;
    private boolean sessionEnded;
    private int sessionsEnded;
    private int noticesTaken;

    @BeforeEach
    void open() {
        log = new LogCapture("org.resilire.backup");
        transportLog = new LogCapture("org.resilire.transport");
        backup = new TestBackup(directory.resolve("backup"), PAGES);
        link = backup.linkAlone();
        primary = new ScriptedPrimary(directory.resolve("primary"), backup.endpoint, PAGES);
        primary.meanwhile = this::work;
    }

    @AfterEach
    void close() {
        primary.close();
        backup.closeLink();
        log.close();
        transportLog.close();
    }

    /** The link's duty cycle, and what the standby's loop would do. */
    private void work() {
        link.doWork();
        final BackupEvent event = backup.events.poll();
        switch (event) {
            case null -> {
                // Nothing happened.
            }
            case BackupEvent.Greeted greeted -> {
                if (accepting && greeted.hello().sessionId() == primary.sessionId) {
                    link.replica().clear();
                    link.accept(greeted.hello(), 1);
                } else {
                    link.refuse(greeted.hello(), 1, RefusalReason.BUSY, "not now");
                }
            }
            case BackupEvent.Ready ready -> {
                // No checkpoint is sent whole.
                throw new AssertionError("ready with epoch " + ready.epoch());
            }
            default -> {
                sessionEnded = true;
                noticesTaken += event instanceof BackupEvent.ProtocolBroken ? 0 : 1;
                sessionsEnded++;
                awaitSealed();
                link.listen();
            }
        }
    }

    private void awaitSealed() {
        for (int i = 0; i < 1_000 && !link.isSealed(); i++) {
            link.doWork();
        }
        assertTrue(link.isSealed());
    }

    @Test
    void shouldSurviveHostileMessages() {
        int sent = 0;
        for (int session = 1; session <= SESSIONS; session++) {
            primary.sessionId = session;
            primary.open();
            sessionEnded = false;
            primary.sendAndAwaitAck(primary.epoch(1, EpochKind.SYNCHRONISATION, session));
            accepting = false;
            for (int i = 0; i < MESSAGES_A_SESSION; i++, sent++) {
                sendSomethingHostile(session);
            }
            // Answered in any case: welcome if the session is still open, otherwise refused.
            primary.greet();
            assertArrayEquals(SyntheticGuest.memoryAfter(session, PAGES), ScriptedPrimary.memoryOf(backup));
            assertEquals(List.of(1L), primary.acknowledged);
            if (!sessionEnded) {
                link.seal();
                link.doWork();
                awaitSealed();
                link.listen();
            }
            accepting = true;
        }
        assertTrue(sent >= 10_000);
        assertTrue(sessionsEnded > SESSIONS / 4, "only " + sessionsEnded + " sessions were ended");
        assertTrue(sessionsEnded < SESSIONS, "not a single session survived");
        assertEquals(
                sessionsEnded,
                log.complaints().stream()
                                .filter(line -> line.startsWith("the primary broke the protocol, the session ends: "))
                                .count()
                        + noticesTaken,
                "a session ended without a word");
        assertEquals(List.of(), transportLog.complaints(), "an exception went astray in a message's handler");
    }

    private void sendSomethingHostile(final int session) {
        final boolean heartbeatStream = random.nextInt(4) == 0;
        final byte[] message = hostile(session);
        if (heartbeatStream) {
            primary.sendOnHeartbeatStream(message);
        } else {
            primary.send(message);
        }
    }

    private byte[] hostile(final int session) {
        return switch (random.nextInt(9)) {
            case 0 -> mutations.garbage();
            case 1 -> withHeader(mutations.garbage());
            // Not the address to answer to: that would be sent to.
            case 2 -> mutations.spoil(primary.hello(), MessageHeaderDecoder.ENCODED_LENGTH + HelloDecoder.BLOCK_LENGTH);
            case 3 -> mutations.spoil(primary.heartbeat());
            case 4 -> mutations.spoil(primary.encode(anyOf(nextEpoch(session))), 48);
            case 5 -> mutations.spoil(primary.encode(endWithWrongChecksum(session)), 48);
            case 6 -> mutations.spoil(primary.inputBoundary(2, random.nextLong()));
            default -> mutations.spoil(primary.encode(anyOf(nextEpoch(session))));
        };
    }

    /** Garbage that looks like one of ours. */
    private byte[] withHeader(final byte[] garbage) {
        final byte[] message = new byte[MessageHeaderDecoder.ENCODED_LENGTH + garbage.length];
        System.arraycopy(primary.heartbeat(), 0, message, 0, MessageHeaderDecoder.ENCODED_LENGTH);
        System.arraycopy(garbage, 0, message, MessageHeaderDecoder.ENCODED_LENGTH, garbage.length);
        message[2] = (byte) random.nextInt(45);
        message[0] = (byte) random.nextInt(70);
        return message;
    }

    private List<Message> nextEpoch(final int session) {
        return primary.epochMessages(2, EpochKind.CHECKPOINT, session + 10)
                .pageHashes(new byte[PAGES * Long.BYTES])
                .end();
    }

    private Message anyOf(final List<Message> messages) {
        final List<Message> batches = new ArrayList<>(messages.subList(0, messages.size() - 1));
        return batches.get(random.nextInt(batches.size()));
    }

    private Message endWithWrongChecksum(final int session) {
        final Message end = nextEpoch(session).getLast();
        return end.withFlippedBit(Byte.SIZE * EpochEndEncoder.checksumEncodingOffset() + random.nextInt(Long.SIZE));
    }

    @Test
    void shouldSurviveHostileInput() {
        for (int session = 1; session <= INPUT_SESSIONS; session++) {
            // Far from each other: what was spoilt for one must not be right for the next.
            primary.sessionId = session * 0x9e3779b97f4a7c15L;
            primary.open();
            sessionEnded = false;
            long position = random.nextLong() >>> (1 + random.nextInt(60));
            boolean isFirst = true;
            for (int i = 0; i < INPUT_MESSAGES_A_SESSION && !sessionEnded; i++) {
                if (random.nextInt(3) == 0) {
                    // The log has something, and goes on, before the next is spoilt.
                    position += FrameRing.recordBytes(PAYLOAD_BYTES);
                    primary.sendOnInputStream(
                            primary.inputEntry(random.nextInt(2), position, isFirst, new byte[PAYLOAD_BYTES]));
                    isFirst = false;
                } else {
                    primary.sendOnInputStream(hostileInput(position));
                }
            }
            // It ends the session, if nothing before it has: nobody can go on from there.
            primary.sendOnInputStream(primary.inputEntry(0, Long.MAX_VALUE, false, new byte[PAYLOAD_BYTES]));
            primary.await("the session ends", () -> sessionEnded);
        }
        assertArrayEquals(new byte[PAGES * GuestMemory.PAGE_BYTES], ScriptedPrimary.memoryOf(backup));
        assertEquals(List.of(), transportLog.complaints(), "an exception went astray in a message's handler");
    }

    private byte[] hostileInput(final long position) {
        return switch (random.nextInt(4)) {
            case 0 -> withHeader(mutations.garbage());
            case 1 -> mutations.spoil(primary.inboundFrame(random.nextLong(), mutations.garbage()));
            default -> {
                final byte[] payload = mutations.garbage();
                yield mutations.spoil(primary.inputEntry(
                        random.nextInt(2), position + FrameRing.recordBytes(payload.length), false, payload));
            }
        };
    }

    @Test
    void shouldRefuseEveryLengthThatIsNotTheTrueOne() {
        final Message pages = primary.epoch(1, EpochKind.SYNCHRONISATION, 5).getFirst();
        final byte[] valid = primary.encode(pages);
        final int payloadBytesAt = MessageHeaderDecoder.ENCODED_LENGTH + 24;
        for (final int wrong : new int[] {
            -1, 0, 1, pages.payload().length - 1, pages.payload().length + 1, Integer.MAX_VALUE, Integer.MIN_VALUE
        }) {
            primary.sessionId++;
            primary.open();
            sessionEnded = false;
            final byte[] message = valid.clone();
            putLong(message, MessageHeaderDecoder.ENCODED_LENGTH, primary.sessionId);
            putInt(message, payloadBytesAt, wrong);
            primary.send(message);
            primary.await("the session ends", () -> sessionEnded);
        }
        assertArrayEquals(new byte[PAGES * GuestMemory.PAGE_BYTES], ScriptedPrimary.memoryOf(backup));
        assertEquals(List.of(), transportLog.complaints());
    }

    @Test
    void shouldSayWhatIsWrongWithAnUnknownKindOfEpoch() {
        primary.open();
        final Message end =
                new EpochMessages(1, EpochKind.SYNCHRONISATION).end().getFirst();
        end.payload()[EpochEndEncoder.kindEncodingOffset()] = 77;
        primary.send(end);
        primary.await("the session ends", () -> sessionEnded);
        primary.await("the backup says why", () -> primary.refusal == RefusalReason.BAD_MESSAGE);
        assertTrue(primary.refusalText.contains("unknown kind"), primary.refusalText);
        assertEquals(List.of(), transportLog.complaints());
    }

    private static void putInt(final byte[] bytes, final int at, final int value) {
        for (int i = 0; i < Integer.BYTES; i++) {
            bytes[at + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }

    private static void putLong(final byte[] bytes, final int at, final long value) {
        putInt(bytes, at, (int) value);
        putInt(bytes, at + Integer.BYTES, (int) (value >>> Integer.SIZE));
    }
}
