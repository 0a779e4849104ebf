package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.BlockFile;
import org.resilire.synthetic.Await;

@Timeout(60)
class EpochWriteLogTest {

    private static final long DISK_BYTES = 8 << 20;
    private static final int WRITERS = 3;

    /** At most, where epochs begin beside changes. */
    private static final int CHANGES_AN_EPOCH = 100;

    @TempDir
    Path directory;

    private DirtyBitmap bitmap;
    private EpochWriteLog log;
    private Path path;
    private DiskImage image;

    @BeforeEach
    void open() throws IOException {
        path = TestImage.empty(directory.resolve("image"), DISK_BYTES);
        bitmap = DirtyBitmap.open(directory.resolve("bitmap"), path, DISK_BYTES);
        bitmap.beginGeneration();
        bitmap.clearOld();
        log = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, bitmap);
        log.beginEpoch(1);
        image = DiskImage.open(path, false, log);
    }

    @AfterEach
    void close() {
        image.close();
        log.close();
        bitmap.close();
    }

    /**
     * The whole way, without a network: clients change a disk through the server, from several connections and over each other;
     * every epoch goes through the buffer and the journal to a replica, which then equals the disk.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldMakeTheReplicaEqualAfterEveryEpoch(final long seed) throws IOException, InterruptedException {
        final Path replicaPath = TestImage.empty(directory.resolve("replica"), DISK_BYTES);
        final Path journalPath = Files.createFile(directory.resolve("journal"));
        final Path socket = directory.resolve("nbd");
        log.start();
        try (DiskImage replica = DiskImage.open(replicaPath, false, WriteObserver.NONE);
                BlockFile journalFile = BlockFile.open(journalPath, true);
                ApplyJournal journal = new ApplyJournal(Storage.of(journalFile), Storage.of(replica));
                EpochWriteBuffer buffer = new EpochWriteBuffer(64 << 20, DISK_BYTES);
                NbdServer server = NbdServer.start(socket, List.of(new NbdExport("d0", image)))) {
            journal.recover();
            for (int round = 0; round < 5; round++) {
                final List<Thread> writers = startWriters(socket, seed * 100 + round);
                final long epoch = round + 1L;
                buffer.begin(epoch);
                while (writers.stream().anyMatch(Thread::isAlive)) {
                    log.poll(
                            (e, change, at, length, memory, data, first, second) -> {
                                assertEquals(epoch, e);
                                TestChanges.add(buffer, change, at, length, memory, data, first, second);
                                return true;
                            },
                            10);
                }
                final long end = log.beginEpoch(epoch + 1);
                while (!log.isTaken(end)) {
                    log.poll(
                            (e, change, at, length, memory, data, first, second) -> {
                                TestChanges.add(buffer, change, at, length, memory, data, first, second);
                                return true;
                            },
                            10);
                }
                buffer.commit();
                journal.commit(buffer);
                buffer.drop();
                assertEquals(-1, Files.mismatch(path, replicaPath), "after epoch " + journal.appliedEpoch());
            }
            assertTrue(log.changesTotal() > 100);
            Await.until("all clients have left", () -> server.connectionCount() == 0);
        }
    }

    private static List<Thread> startWriters(final Path socket, final long seed) {
        final List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            final Random random = new Random(seed * WRITERS + i);
            writers.add(Thread.ofPlatform().start(() -> change(socket, random)));
        }
        return writers;
    }

    private static void change(final Path socket, final Random random) {
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            for (int i = 0; i < 40; i++) {
                final int inFlight = 1 + random.nextInt(6);
                for (int j = 0; j < inFlight; j++) {
                    final int command = new int[] {Nbd.CMD_WRITE, Nbd.CMD_WRITE, Nbd.CMD_TRIM, Nbd.CMD_WRITE_ZEROES}
                            [random.nextInt(4)];
                    final int lengthBytes = 1 + random.nextInt(random.nextInt(4) == 0 ? 1_500_000 : 9_000);
                    // Few places, so that changes overlap.
                    final long offset = random.nextInt(8) * 100_000L + random.nextInt(500);
                    final byte[] data = new byte[command == Nbd.CMD_WRITE ? lengthBytes : 0];
                    random.nextBytes(data);
                    client.request(random.nextInt(8) == 0 ? 1 : 0, command, j, offset, lengthBytes, data);
                }
                for (int j = 0; j < inFlight; j++) {
                    assertEquals(0, client.reply(0).error());
                }
            }
            client.request(0, Nbd.CMD_DISC, 0, 0, 0);
            assertTrue(client.isAtEnd());
        } catch (final IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    void shouldDelayAWriteThatFindsNoRoomAndNeverDropOne() throws InterruptedException {
        log.start();
        try (Arena arena = Arena.ofShared()) {
            final MemorySegment data = arena.allocate(1 << 20);
            final AtomicBoolean isDone = new AtomicBoolean();
            final Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 8; i++) {
                    image.write(data, 0, 1 << 20, i << 20, false);
                }
                isDone.set(true);
            });
            Await.until("a write waits", () -> log.delayedChanges() == 1);
            assertFalse(isDone.get());
            assertFalse(log.isReady(DiskChange.WRITE, 1 << 20));
            final List<Long> taken = new ArrayList<>();
            Await.until("all come through", isDone::get, () -> take(taken));
            writer.join();
            while (take(taken) > 0) {
                // What the last writes have left.
            }
            assertEquals(List.of(0L, 1L << 20, 2L << 20, 3L << 20, 4L << 20, 5L << 20, 6L << 20, 7L << 20), taken);
            assertTrue(log.delayNanosTotal() > 0);
        }
    }

    private int take(final List<Long> taken) {
        return log.poll((e, change, at, length, memory, dataOffset, first, second) -> taken.add(at), 1);
    }

    @Test
    void shouldLetWaitingWritesGoWhenTheBackupIsLostAndKeepThemMarked() throws InterruptedException {
        log.start();
        try (Arena arena = Arena.ofShared()) {
            final MemorySegment data = arena.allocate(1 << 20);
            final Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 6; i++) {
                    image.write(data, 0, 1 << 20, i << 20, false);
                }
            });
            Await.until("a write waits", () -> log.delayedChanges() == 1);
            log.stop();
            writer.join();
            assertEquals(6 * 16, bitmap.dirtyBlocks());
            assertEquals(0, log.poll((e, change, at, length, memory, dataOffset, first, second) -> true, 100));
            log.start();
            image.trim(0, 4096, false);
            assertEquals(1, log.poll((e, change, at, length, memory, dataOffset, first, second) -> true, 100));
        }
    }

    @Test
    void shouldMarkAWriteInTheGenerationOfTheEpochThatItIsLoggedIn() {
        log.start();
        // The change begins before the generation does and takes effect after.
        log.beforeChange(DiskChange.DISCARD, 0, 4096);
        log.beginGeneration();
        log.beginEpoch(2);
        log.changed(DiskChange.DISCARD, 0, 4096, null, 0);
        bitmap.clearOld();
        assertEquals(1, bitmap.dirtyBlocks());
    }

    /** In a pause: the other is a client's thread, or one that walks the bitmap, and may have been taken off its processor. */
    @Test
    void shouldBeginAnEpochWhileAnotherThreadIsBusyInIt() throws InterruptedException {
        log.start();
        final EpochWriteLog busy = log;
        final Thread pause;
        synchronized (busy) {
            pause = Thread.ofPlatform().start(() -> {
                busy.expectPause();
                busy.beginEpoch(2);
                assertFalse(busy.isEpochLarge());
            });
            Await.until("the epoch has begun", () -> !pause.isAlive());
        }
        assertEquals(2, log.currentEpoch());
    }

    @Test
    void shouldLetAChangeBeyondTheQuotaGoOnOnceAPauseIsExpectedOrAnEpochBegins() throws InterruptedException {
        final long quotaBytes = 2 * WriteRecord.HEADER_BYTES;
        try (EpochWriteLog bounded = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, quotaBytes, bitmap)) {
            bounded.start();
            bounded.beginEpoch(1);
            discard(bounded);
            discard(bounded);
            final Thread first = Thread.ofPlatform().start(() -> discard(bounded));
            Await.until("a change waits", () -> bounded.delayedChanges() == 1);
            assertFalse(bounded.isReady(DiskChange.DISCARD, 1));
            bounded.expectPause();
            first.join();
            assertEquals(3 * WriteRecord.HEADER_BYTES, bounded.epochBytes());
            bounded.beginEpoch(2);
            assertEquals(0, bounded.epochBytes());
            discard(bounded);
            discard(bounded);
            final Thread second = Thread.ofPlatform().start(() -> discard(bounded));
            Await.until("a change waits", () -> bounded.delayedChanges() == 2);
            bounded.beginEpoch(3);
            second.join();
            assertEquals(WriteRecord.HEADER_BYTES, bounded.epochBytes());
        }
    }

    private static void discard(final EpochWriteLog to) {
        to.beforeChange(DiskChange.DISCARD, 0, 1);
        to.changed(DiskChange.DISCARD, 0, 1, null, 0);
    }

    @Test
    void shouldLetAsManyChangesWaitAsThereMayBeAndForgetNone() throws InterruptedException {
        final int many = 100;
        try (EpochWriteLog bounded =
                new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, WriteRecord.HEADER_BYTES, bitmap)) {
            bounded.start();
            bounded.beginEpoch(1);
            discard(bounded);
            final List<Thread> changers = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                changers.add(Thread.ofPlatform().start(() -> discard(bounded)));
            }
            Await.until("all wait", () -> bounded.delayedChanges() == many);
            bounded.stop();
            for (final Thread changer : changers) {
                changer.join();
            }
            assertTrue(bounded.delayNanosTotal() > 0);
        }
    }

    @Test
    void shouldStartOnlyWhenNoChangeIsUnderWayAndLetThoseWaitThatComeMeanwhile() throws InterruptedException {
        log.beforeChange(DiskChange.DISCARD, 0, 1);
        final Thread starter = Thread.ofPlatform().start(log::start);
        Await.until("the log waits to start", () -> !log.isReady(DiskChange.DISCARD, 1));
        final Thread changer = Thread.ofPlatform().start(() -> discard(log));
        Await.until("a change waits for the start", () -> log.delayedChanges() == 1);
        log.changed(DiskChange.DISCARD, 0, 1, null, 0);
        starter.join();
        changer.join();
        assertEquals(1, log.changesTotal(), "the first was only marked");
    }

    @Test
    void shouldNotWaitForeverForAChangeThatHangsWhenItIsToStart() {
        log.beforeChange(DiskChange.DISCARD, 0, 1);
        final AtomicLong asked = new AtomicLong();
        assertFalse(log.start(() -> asked.incrementAndGet() < 3));
        assertEquals(3, asked.get());
        assertTrue(log.isReady(DiskChange.DISCARD, 1), "others do not wait for it either");
        log.changed(DiskChange.DISCARD, 0, 1, null, 0);
        assertTrue(log.start(() -> false), "nothing is under way");
        discard(log);
        assertEquals(1, log.changesTotal());
    }

    /**
     * Epochs begin whenever they do, also in the middle of a change: the sender may have ended an epoch by the time a change with its label
     * can be seen. What a generation has marked must not be forgotten before that is applied in which it travelled.
     */
    @Test
    void shouldSendEveryChangeByTheEpochThatItsGenerationNames() throws InterruptedException {
        final int changes = 20_000;
        final long[] named = new long[changes];
        final long[] sent = new long[changes];
        final AtomicLong begun = new AtomicLong(1);
        final AtomicLong sending = new AtomicLong(1);
        final AtomicBoolean isOver = new AtomicBoolean();
        log.start();
        final Thread changer = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < changes; i++) {
                // However the processors are shared out, epochs begin meanwhile.
                while (begun.get() < i / CHANGES_AN_EPOCH) {
                    LockSupport.parkNanos(1_000);
                }
                log.beforeChange(DiskChange.DISCARD, i, 1);
                log.changed(DiskChange.DISCARD, i, 1, null, 0);
                named[i] = log.beginGeneration();
            }
        });
        final Thread checkpoints = Thread.ofPlatform().start(() -> {
            for (long epoch = 2; !isOver.get(); epoch++) {
                log.beginEpoch(epoch);
                begun.set(epoch);
                while (sending.get() < epoch - 1 && !isOver.get()) {
                    LockSupport.parkNanos(1_000);
                }
            }
        });
        int count = 0;
        while (count < changes) {
            final long epoch = sending.get();
            final boolean isEnd = begun.get() > epoch;
            count += log.poll(
                    (label, change, at, length, memory, data, first, second) -> {
                        if (label > epoch) {
                            return false;
                        }
                        sent[(int) at] = epoch;
                        return true;
                    },
                    Integer.MAX_VALUE);
            if (isEnd) {
                sending.set(epoch + 1);
            }
        }
        isOver.set(true);
        changer.join();
        checkpoints.join();
        for (int i = 0; i < changes; i++) {
            assertTrue(sent[i] <= named[i], "change " + i + " was sent in " + sent[i] + ", not by " + named[i]);
        }
        assertTrue(sending.get() > 100, "epochs did begin meanwhile");
    }

    @Test
    void shouldTellThatAFailedWriteLeftItBroken() {
        log.start();
        log.beforeChange(DiskChange.WRITE, 0, 4096);
        log.uncertain(DiskChange.WRITE, 0, 4096);
        assertTrue(log.isBroken());
        assertEquals(1, bitmap.dirtyBlocks());
        log.stop();
        assertFalse(log.isBroken());
    }
}
