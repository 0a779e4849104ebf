package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a disk through log, messages, buffer and journal to its replica. */
@Timeout(60)
class ChangeMessageTest {

    private static final int HEADER_BYTES = 64;
    private static final long DISK_BYTES = 4 << 20;
    private static final int RECORD_LENGTH_OFFSET = 16;
    private static final int RECORD_CHANGE_OFFSET = 24;
    private static final int RECORD_DATA_OFFSET = 28;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofShared();
    private DirtyBitmap bitmap;
    private EpochWriteLog log;
    private DiskImage image;
    private FlakyStorage replica;
    private ApplyJournal journal;
    private EpochWriteBuffer buffer;
    private long differences;

    @BeforeEach
    void open() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), DISK_BYTES);
        bitmap = DirtyBitmap.open(directory.resolve("bitmap"), path, DISK_BYTES);
        log = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, bitmap);
        image = DiskImage.open(path, false, log);
        replica = new FlakyStorage(new FlakyStorage.World(), new byte[(int) DISK_BYTES]);
        journal = new ApplyJournal(
                new FlakyStorage(new FlakyStorage.World(), new byte[0]),
                replica,
                (diskOffset, lengthBytes) -> differences++);
        journal.recover();
        buffer = new EpochWriteBuffer(64 << 20, DISK_BYTES);
        log.beginEpoch(1);
        log.start();
    }

    @AfterEach
    void close() {
        image.close();
        log.close();
        bitmap.close();
        journal.close();
        buffer.close();
        arena.close();
    }

    /** Messages smaller than many a write. */
    @ParameterizedTest
    @ValueSource(ints = {96, 4096, 128 << 10})
    void shouldCarryEveryChangeInWholeOrInPieces(final int payloadBytes) throws IOException {
        final Random random = new Random(payloadBytes);
        final MemorySegment data = arena.allocate(1 << 20);
        try (ChangeMessage message = new ChangeMessage(HEADER_BYTES, payloadBytes)) {
            for (int epoch = 1; epoch <= 3; epoch++) {
                for (int i = 0; i < 12; i++) {
                    change(random, data);
                    if (log.loggedBytes() > EpochWriteLog.MIN_CAPACITY_BYTES / 2) {
                        drain(message, epoch);
                    }
                }
                log.beginEpoch(epoch + 1);
                image.zero(random.nextInt(1000), 512, true, false);
                drain(message, epoch);
                assertTrue(log.loggedBytes() > 0, "the last change is of the next epoch");
                // Epochs may wait and be applied together.
                buffer.commit();
                if (epoch != 2) {
                    journal.commit(buffer);
                    buffer.drop();
                }
                drain(message, epoch + 1);
                buffer.commit();
            }
            journal.commit(buffer);
        }
        assertArrayEquals(Files.readAllBytes(image.path()), replica.content());
    }

    private void change(final Random random, final MemorySegment data) {
        final int lengthBytes = 1 + random.nextInt(random.nextInt(3) == 0 ? 1 << 20 : 9_000);
        final long offset = random.nextInt((int) DISK_BYTES - lengthBytes);
        switch (random.nextInt(4)) {
            case 0 -> image.zero(offset, lengthBytes, random.nextBoolean(), false);
            default -> {
                final byte[] bytes = new byte[lengthBytes];
                random.nextBytes(bytes);
                MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, lengthBytes);
                image.write(data, 0, lengthBytes, offset, false);
            }
        }
    }

    private void drain(final ChangeMessage message, final long epoch) {
        if (buffer.epoch() != epoch) {
            buffer.begin(epoch);
        }
        while (true) {
            message.begin(epoch);
            log.poll(message, Integer.MAX_VALUE);
            if (message.payloadBytes() == 0) {
                return;
            }
            final byte[] payload = message.memory()
                    .asSlice(HEADER_BYTES, message.payloadBytes())
                    .toArray(ValueLayout.JAVA_BYTE);
            buffer.append(message.changes(), new UnsafeBuffer(payload), 0, payload.length);
        }
    }

    @Test
    void shouldForgetAnEpochThatDoesNotCommitAndKeepThoseThatDid() {
        final MemorySegment data = arena.allocate(4096).fill((byte) 7);
        try (ChangeMessage message = new ChangeMessage(HEADER_BYTES, 128 << 10)) {
            image.write(data, 0, 4096, 0, false);
            drain(message, 1);
            buffer.commit();
            log.beginEpoch(2);
            image.write(data, 0, 4096, 8192, false);
            drain(message, 2);
            buffer.begin(2);
        }
        journal.commit(buffer);
        assertEquals(7, replica.content()[0]);
        assertEquals(0, replica.content()[8192]);
    }

    @Test
    void shouldTellWhichBlocksDifferAtTheirPlaceInTheOrderOfChanges() {
        final MemorySegment data = arena.allocate(DirtyBitmap.BLOCK_BYTES).fill((byte) 7);
        final MemorySegment scratch = arena.allocate(DirtyBitmap.BLOCK_BYTES);
        try (ChangeMessage message = new ChangeMessage(HEADER_BYTES, 128 << 10)) {
            // Written before logging began: the replica has zeros.
            log.stop();
            image.write(data, 0, DirtyBitmap.BLOCK_BYTES, 0, false);
            log.start();
            image.compare(0, DirtyBitmap.BLOCK_BYTES, scratch);
            image.compare(DirtyBitmap.BLOCK_BYTES, DirtyBitmap.BLOCK_BYTES, scratch);
            image.write(data, 0, DirtyBitmap.BLOCK_BYTES, 0, false);
            image.compare(0, DirtyBitmap.BLOCK_BYTES, scratch);
            drain(message, 1);
        }
        buffer.commit();
        journal.commit(buffer);
        assertEquals(1, differences);
    }

    @Test
    void shouldRefuseWhatNoPrimarySends() {
        buffer.begin(1);
        final byte[] good = record(DiskChange.WRITE.code(), 0, 100, 100, 160);
        assertEquals(0, append(1, good));
        assertRefused(2, good);
        assertRefused(1, record(DiskChange.WRITE.code(), DISK_BYTES - 99, 100, 100, 160));
        assertRefused(1, record(DiskChange.WRITE.code(), -1, 100, 100, 160));
        assertRefused(1, record(DiskChange.WRITE.code(), 0, -1, 100, 160));
        assertRefused(1, record(DiskChange.WRITE.code(), Long.MAX_VALUE, Long.MAX_VALUE, 100, 160));
        assertRefused(1, record(DiskChange.WRITE.code(), 0, 100, 99, 160));
        assertRefused(1, record(DiskChange.WRITE.code(), 0, 200, 200, 160));
        assertRefused(1, record(DiskChange.ZERO.code(), 0, 100, 100, 160));
        assertRefused(1, record(DiskChange.COMPARE.code(), 0, 1 << 20, 8, 64));
        assertRefused(1, record(0, 0, 100, 0, 32));
        assertRefused(1, record(5, 0, 100, 0, 32));
        assertRefused(1, new byte[31]);
        assertRefused(1, new byte[0]);
        assertEquals(0, append(0, new byte[0]) - 160);
        assertEquals(1, buffer.changes());
    }

    private void assertRefused(final int changes, final byte[] payload) {
        assertThrows(InvalidChangeException.class, () -> append(changes, payload));
    }

    private long append(final int changes, final byte[] payload) {
        return buffer.append(changes, new UnsafeBuffer(payload), 0, payload.length);
    }

    private static byte[] record(
            final int code, final long diskOffset, final long lengthBytes, final int dataBytes, final int bytes) {
        final UnsafeBuffer record = new UnsafeBuffer(new byte[bytes]);
        record.putLong(Long.BYTES, diskOffset);
        record.putLong(RECORD_LENGTH_OFFSET, lengthBytes);
        record.putInt(RECORD_CHANGE_OFFSET, code);
        record.putInt(RECORD_DATA_OFFSET, dataBytes);
        return record.byteArray();
    }
}
