package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.codec.PageRecord;
import org.resilire.codec.RandomPages;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.synthetic.SyntheticMemory;
import org.resilire.wire.sbe.EpochEndEncoder;
import org.resilire.wire.sbe.EpochKind;

class EpochAssemblerTest {

    private static final int PAGES = 6;
    private static final long EPOCH = 41;

    @TempDir
    Path directory;

    private final Random random = new Random(31);
    private final byte[] model = new byte[PAGES * PageRecord.PAGE_BYTES];
    private final byte[] device = new byte[PageRecord.PAGE_BYTES + 200];
    private EpochAssembler assembler;
    private SyntheticMemory replica;
    private EpochCommit commit;
    private List<Message> whole;

    @BeforeEach
    void open() {
        assembler = new EpochAssembler(PAGES);
        assembler.startSession(EPOCH);
        replica = SyntheticMemory.ofReplica(directory.resolve("replica"), PAGES);
        commit = new EpochCommit(replica.memory());
        random.nextBytes(device);
        // So that it can be compressed.
        Arrays.fill(device, 100, PageRecord.PAGE_BYTES, (byte) 7);
        whole = new EpochMessages(EPOCH, EpochKind.CHECKPOINT)
                .pages(2, smallRecords(2))
                .pages(1, smallRecords(1))
                .pageHashes(bytes(2 * Long.BYTES))
                .pageHashes(bytes((PAGES - 2) * Long.BYTES))
                .compressedDeviceState(slice(device, 0, PageRecord.PAGE_BYTES))
                .deviceState(slice(device, PageRecord.PAGE_BYTES, 200))
                .end();
    }

    @AfterEach
    void close() {
        assembler.close();
        commit.close();
        replica.close();
    }

    @Test
    void shouldHandOutAWholeEpoch() {
        assertHandedOut();
    }

    private void assertHandedOut() {
        for (final Message message : whole) {
            assertFalse(assembler.isComplete());
            assertNothingCanBeReadOut();
            message.sendTo(assembler);
        }
        assertTrue(assembler.isComplete());
        assertTrue(assembler.hasPageHashes());
        assertEquals(EpochKind.CHECKPOINT, assembler.kind());
        assertEquals(device.length, assembler.deviceStateBytes());
        assertArrayEquals(
                device, assembler.deviceState().asSlice(0, device.length).toArray(ValueLayout.JAVA_BYTE));
        commit.begin(assembler);
        assertTrue(commit.applySlice(() -> 0, 1));
        assertArrayEquals(model, replica.snapshot());
        assertArrayEquals(
                device,
                commit.deviceState().asSlice(0, commit.deviceStateBytes()).toArray(ValueLayout.JAVA_BYTE));
        assembler.next();
        assertEquals(EPOCH + 1, assembler.epoch());
        assertFalse(assembler.isComplete());
        assertNothingCanBeReadOut();
    }

    @Test
    void shouldRefuseEveryOmission() {
        final int batches = whole.size() - 1;
        for (int left = 0; left < (1 << batches) - 1; left++) {
            final List<Message> some = new ArrayList<>();
            for (int i = 0; i < batches; i++) {
                if ((left >>> i & 1) != 0) {
                    some.add(whole.get(i));
                }
            }
            some.add(whole.get(batches));
            assertRefused(some);
        }
    }

    /** Even if the sender numbers what is left without a gap. */
    @Test
    void shouldRefuseEveryOmissionThatTheNumbersHide() {
        for (int missing = 0; missing < whole.size() - 1; missing++) {
            final List<Message> some = new ArrayList<>(whole);
            some.remove(missing);
            for (int i = 0; i < some.size() - 1; i++) {
                some.set(i, some.get(i).withBatchIndex(i));
            }
            assertRefused(some);
        }
    }

    @Test
    void shouldRefuseEveryDuplication() {
        for (int doubled = 0; doubled < whole.size(); doubled++) {
            for (int at = doubled; at < whole.size(); at++) {
                final List<Message> more = new ArrayList<>(whole);
                more.add(at, whole.get(doubled));
                if (doubled == whole.size() - 1) {
                    more.forEach(this::sendIgnoringRefusal);
                    assertThrows(
                            ProtocolViolationException.class,
                            () -> whole.getLast().sendTo(assembler));
                    assembler.startSession(EPOCH);
                } else {
                    assertRefused(more);
                }
            }
        }
    }

    @Test
    void shouldRefuseEveryOtherOrder() {
        final int[] refused = {0};
        permute(new ArrayList<>(whole), 0, order -> {
            if (!order.equals(whole)) {
                assertRefused(order);
                refused[0]++;
            }
        });
        assertEquals(5039, refused[0]);
    }

    @Test
    void shouldRefuseEveryFlippedBitOfEveryPayload() {
        for (int i = 0; i < whole.size(); i++) {
            final Message message = whole.get(i);
            for (int bit = 0; bit < message.payload().length * Byte.SIZE; bit++) {
                if (message.type() == EpochMessages.Type.END && !isChecked(bit)) {
                    continue;
                }
                assertRefusedWith(i, message.withFlippedBit(bit));
            }
        }
    }

    /** The session's id is the link's business. */
    private static boolean isChecked(final int bit) {
        return bit / Byte.SIZE >= EpochEndEncoder.epochEncodingOffset();
    }

    @Test
    void shouldRefuseEveryFlippedBitOfEveryHeader() {
        for (int i = 0; i < whole.size() - 1; i++) {
            final Message message = whole.get(i);
            for (int bit = 0; bit < Long.SIZE; bit++) {
                assertRefusedWith(i, message.withEpoch(message.epoch() ^ 1L << bit));
            }
            for (int bit = 0; bit < Byte.SIZE && message.type() != EpochMessages.Type.PAGE_HASHES; bit++) {
                assertRefusedWith(i, message.withCompression((short) (message.compression() ^ 1 << bit)));
            }
            for (int bit = 0; bit < Integer.SIZE; bit++) {
                assertRefusedWith(i, message.withBatchIndex(message.batchIndex() ^ 1 << bit));
                if (message.type() != EpochMessages.Type.PAGE_HASHES) {
                    assertRefusedWith(i, message.withCount(message.count() ^ 1 << bit));
                    assertRefusedWith(i, message.withDecodedBytes(message.decodedBytes() ^ 1 << bit));
                } else {
                    assertRefusedWith(i, message.withPosition(message.position() ^ 1 << bit));
                }
            }
        }
    }

    @Test
    void shouldRefuseEveryTruncatedPayload() {
        for (int i = 0; i < whole.size() - 1; i++) {
            final Message message = whole.get(i);
            for (int length = 0; length < message.payload().length; length++) {
                assertRefusedWith(i, message.withPayload(slice(message.payload(), 0, length)));
            }
        }
    }

    @Test
    void shouldNotBelieveAnythingAfterAViolation() {
        final Message malformed =
                new Message(EpochMessages.Type.PAGES, EPOCH, 0, 1, 0, new byte[] {9, 9, 9, 9, 0, 0, 0, 0});
        assertThrows(ProtocolViolationException.class, () -> malformed.sendTo(assembler));
        // An end mark that fits what is staged now, whatever that is.
        final byte[] end = new byte[EpochEndEncoder.BLOCK_LENGTH];
        new EpochEndEncoder()
                .wrap(new UnsafeBuffer(end), 0)
                .epoch(EPOCH)
                .batchCount(1)
                .payloadBytes(malformed.payload().length)
                .kind(EpochKind.SYNCHRONISATION);
        assertThrows(
                ProtocolViolationException.class,
                () -> new Message(EpochMessages.Type.END, EPOCH, 0, 0, 0, end).sendTo(assembler));
        assertNothingCanBeReadOut();
    }

    @ParameterizedTest
    @ValueSource(longs = {EPOCH - 1, EPOCH + 1, 0, -1, Long.MAX_VALUE})
    void shouldRefuseAnotherEpoch(final long epoch) {
        assertRefused(whole.stream().map(message -> message.withEpoch(epoch)).toList());
        assertRefused(new EpochMessages(epoch, EpochKind.SYNCHRONISATION).end());
    }

    @Test
    void shouldForgetWhatWasStagedWhenASessionStarts() {
        whole.subList(0, 5).forEach(message -> message.sendTo(assembler));
        assembler.startSession(EPOCH);
        assertRefused(whole.subList(5, whole.size()));
        assertHandedOut();
    }

    @Test
    void shouldKeepEpochsInOrder() {
        assembler.startSession(3);
        for (long epoch = 3; epoch < 8; epoch++) {
            new EpochMessages(epoch, EpochKind.SYNCHRONISATION).end().forEach(message -> message.sendTo(assembler));
            assertTrue(assembler.isComplete());
            assembler.next();
        }
        final List<Message> again = new EpochMessages(7, EpochKind.SYNCHRONISATION).end();
        assertThrows(ProtocolViolationException.class, () -> again.getFirst().sendTo(assembler));
    }

    @Test
    void shouldRefuseDeviceStateThatDoesNotFitItsKind() {
        assertRefused(new EpochMessages(EPOCH, EpochKind.CHECKPOINT).end());
        assertRefused(new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .deviceState(device)
                .end());
    }

    @Test
    void shouldRefuseAnUnknownKind() {
        final List<Message> messages = new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION).end();
        for (int kind = 2; kind < 256; kind++) {
            final byte[] end = messages.getFirst().payload().clone();
            end[EpochEndEncoder.kindEncodingOffset()] = (byte) kind;
            assertRefused(List.of(messages.getFirst().withPayload(end)));
        }
    }

    @Test
    void shouldRefuseHashesOfAFewPages() {
        assertRefused(new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .pageHashes(bytes((PAGES - 1) * Long.BYTES))
                .end());
        assertRefused(new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .pageHashes(bytes(PAGES * Long.BYTES))
                .pageHashes(bytes(Long.BYTES))
                .end());
    }

    @Test
    void shouldRefuseMoreThanAnEpochCanHold() {
        final byte[] records = new byte[PAGES * PageRecord.MAX_BYTES];
        final MemorySegment segment = MemorySegment.ofArray(records);
        for (int page = 0; page < PAGES; page++) {
            PageRecord.putHeader(segment, (long) page * PageRecord.MAX_BYTES, page, PageRecord.BLOCKS, -1L);
        }
        final List<Message> messages = new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .pages(PAGES, records)
                .pages(PAGES, records)
                .pages(1, bytesOfZeroPage())
                .end();
        messages.getFirst().sendTo(assembler);
        messages.get(1).sendTo(assembler);
        assertThrows(ProtocolViolationException.class, () -> messages.get(2).sendTo(assembler));
        assertRefused(messages);
        final byte[] beyond = bytesOfZeroPage();
        PageRecord.putHeader(
                MemorySegment.ofArray(beyond),
                0,
                EpochAssembler.MAX_DEVICE_STATE_BYTES / PageRecord.PAGE_BYTES,
                PageRecord.ZERO,
                0);
        assertRefused(new EpochMessages(EPOCH, EpochKind.CHECKPOINT)
                .deviceState(device)
                .deviceStateRecords(1, beyond)
                .end());
    }

    @Test
    void shouldTellTheDeviceStateFromThatOfTheEpochBefore() {
        whole.forEach(message -> message.sendTo(assembler));
        assembler.next();
        final byte[] changed = device.clone();
        final byte[] record = new byte[PageRecord.HEADER_BYTES + PageRecord.BLOCK_BYTES];
        random.nextBytes(record);
        PageRecord.putHeader(MemorySegment.ofArray(record), 0, 1, PageRecord.BLOCKS, 0b10);
        System.arraycopy(
                record,
                PageRecord.HEADER_BYTES,
                changed,
                PageRecord.PAGE_BYTES + PageRecord.BLOCK_BYTES,
                PageRecord.BLOCK_BYTES);
        final List<Message> next = new EpochMessages(EPOCH + 1, EpochKind.CHECKPOINT)
                .deviceStateRecords(1, record)
                .announcingDeviceState(changed)
                .end();
        next.forEach(message -> message.sendTo(assembler));
        assertEquals(changed.length, assembler.deviceStateBytes());
        assertArrayEquals(
                changed, assembler.deviceState().asSlice(0, changed.length).toArray(ValueLayout.JAVA_BYTE));
        assembler.next();

        assertRefusedNow(new EpochMessages(EPOCH + 2, EpochKind.CHECKPOINT)
                .deviceStateRecords(1, record).announcingDeviceState(slice(device, 0, device.length - 1)).end().stream()
                        .map(message -> message.type() == EpochMessages.Type.END
                                ? message.withPayload(endAnnouncing(message.payload(), device.length))
                                : message)
                        .toList());
        assembler.startSession(EPOCH);
        assertHandedOut();
    }

    private static byte[] endAnnouncing(final byte[] end, final int deviceStateBytes) {
        final byte[] changed = end.clone();
        new EpochEndEncoder().wrap(new UnsafeBuffer(changed), 0).deviceStateBytes(deviceStateBytes);
        return changed;
    }

    @Test
    void shouldForgetTheDeviceStateWhenASessionStarts() {
        whole.forEach(message -> message.sendTo(assembler));
        assembler.startSession(EPOCH);
        assertRefusedNow(new EpochMessages(EPOCH, EpochKind.CHECKPOINT)
                .deviceStateRecords(0, new byte[0])
                .announcingDeviceState(device)
                .end());
    }

    /** By a message, in whatever state the assembler is. */
    private void assertRefusedNow(final List<Message> messages) {
        boolean refused = false;
        for (final Message message : messages) {
            refused |= !sendIgnoringRefusal(message);
        }
        assertTrue(refused, () -> "accepted: " + messages);
        assertNothingCanBeReadOut();
    }

    private void assertRefusedWith(final int index, final Message instead) {
        final List<Message> spoilt = new ArrayList<>(whole);
        spoilt.set(index, instead);
        assertRefused(spoilt);
    }

    /** Refused somewhere, and nothing of it can be had, not even if the sender goes on as if nothing had happened. */
    private void assertRefused(final List<Message> messages) {
        assembler.startSession(EPOCH);
        boolean refused = false;
        for (final Message message : messages) {
            refused |= !sendIgnoringRefusal(message);
        }
        assertTrue(refused, () -> "accepted: " + messages);
        assertNothingCanBeReadOut();
        assembler.startSession(EPOCH);
    }

    private boolean sendIgnoringRefusal(final Message message) {
        try {
            message.sendTo(assembler);
            return true;
        } catch (final ProtocolViolationException e) {
            return false;
        }
    }

    private void assertNothingCanBeReadOut() {
        assertFalse(assembler.isComplete());
        assertThrows(IllegalStateException.class, assembler::pageRecords);
        assertThrows(IllegalStateException.class, assembler::deviceState);
        assertThrows(IllegalStateException.class, assembler::pageHashes);
        assertThrows(IllegalStateException.class, () -> commit.begin(assembler));
        assertFalse(commit.inProgress());
    }

    private interface Order {
        void accept(List<Message> order);
    }

    private static void permute(final List<Message> messages, final int from, final Order visitor) {
        if (from == messages.size()) {
            visitor.accept(List.copyOf(messages));
            return;
        }
        for (int i = from; i < messages.size(); i++) {
            Collections.swap(messages, from, i);
            permute(messages, from + 1, visitor);
            Collections.swap(messages, from, i);
        }
    }

    private byte[] smallRecords(final int count) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment batch = arena.allocate(count * (long) PageRecord.MAX_BYTES);
            final byte[] before = model.clone();
            long length = new RandomPages(random, PAGES).write(batch, 0, count, model);
            while (length > count * 400L) {
                System.arraycopy(before, 0, model, 0, model.length);
                length = new RandomPages(random, PAGES).write(batch, 0, count, model);
            }
            return batch.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Each takes 16 bytes to send, 4,096 to apply, and next to nothing once compressed. */
    @Test
    void shouldRefuseMoreRecordsThanTwoAPage() {
        final int most = 2 * PAGES;
        final byte[] zeroPages = new byte[(most + 1) * PageRecord.HEADER_BYTES];
        for (int i = 0; i <= most; i++) {
            System.arraycopy(bytesOfZeroPage(), 0, zeroPages, i * PageRecord.HEADER_BYTES, PageRecord.HEADER_BYTES);
        }
        new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .pages(most, slice(zeroPages, 0, most * PageRecord.HEADER_BYTES))
                .end()
                .forEach(message -> message.sendTo(assembler));
        assertTrue(assembler.isComplete());
        assembler.startSession(EPOCH);
        assertRefusedNow(new EpochMessages(EPOCH, EpochKind.SYNCHRONISATION)
                .pages(most + 1, zeroPages)
                .end());
    }

    private static byte[] bytesOfZeroPage() {
        final byte[] record = new byte[PageRecord.HEADER_BYTES];
        PageRecord.putHeader(MemorySegment.ofArray(record), 0, 0, PageRecord.ZERO, 0);
        return record;
    }

    private byte[] bytes(final int length) {
        final byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] slice(final byte[] bytes, final int from, final int length) {
        final byte[] part = new byte[length];
        System.arraycopy(bytes, from, part, 0, length);
        return part;
    }
}
