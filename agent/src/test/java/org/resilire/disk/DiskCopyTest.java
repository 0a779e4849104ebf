package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.linux.BlockFile;

@Timeout(60)
class DiskCopyTest {

    private static final long DISK_BYTES = (16 << 20) + 512;

    @TempDir
    Path directory;

    /** The first copy, an outage in which some of it changes, and a second copy that carries only that. */
    @Test
    void shouldCopyADiskInUseAndAfterAnOutageOnlyWhatHasChanged() throws IOException, InterruptedException {
        final Path path = TestImage.sparse(directory.resolve("image"), DISK_BYTES, 5);
        final Path replicaPath = TestImage.sparse(directory.resolve("replica"), DISK_BYTES, 6);
        final Path journalPath = Files.createFile(directory.resolve("journal"));
        try (DirtyBitmap bitmap = DirtyBitmap.open(directory.resolve("bitmap"), path, DISK_BYTES);
                EpochWriteLog log = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, bitmap);
                DiskImage image = DiskImage.open(path, false, log);
                DiskImage replica = DiskImage.open(replicaPath, false, WriteObserver.NONE);
                BlockFile journalFile = BlockFile.open(journalPath, true);
                ApplyJournal journal = new ApplyJournal(Storage.of(journalFile), Storage.of(replica));
                EpochWriteBuffer buffer = new EpochWriteBuffer(64 << 20, DISK_BYTES)) {
            journal.recover();
            log.beginEpoch(1);
            log.start();
            final long firstBytes = copy(1, image, bitmap, log, buffer, new Random(1));
            buffer.commit();
            journal.commit(buffer);
            buffer.drop();
            assertEquals(-1, Files.mismatch(path, replicaPath));
            assertTrue(firstBytes >= 8 << 20 && firstBytes < 12 << 20, "holes travel as holes");
            assertTrue(replica.isHole(DISK_BYTES - 5 * 65_536) || replica.isHole(DISK_BYTES - 4 * 65_536));

            log.beginGeneration();
            bitmap.clearOld();
            assertEquals(0, bitmap.dirtyBlocks());
            log.stop();
            try (Arena arena = Arena.ofConfined()) {
                image.write(arena.allocate(10_000).fill((byte) 1), 0, 10_000, 3 << 20, false);
            }
            image.trim(0, 65_536, false);
            assertEquals(2, bitmap.dirtyBlocks());

            log.beginEpoch(2);
            log.start();
            assertEquals(65_536, copy(2, image, bitmap, log, buffer, null));
            buffer.commit();
            journal.commit(buffer);
            buffer.drop();
            assertEquals(-1, Files.mismatch(path, replicaPath));
        }
    }

    /** Copies in one thread, writes at random in another if wanted, and fills the buffer in this one. */
    private static long copy(
            final long epoch,
            final DiskImage image,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final EpochWriteBuffer buffer,
            final Random random)
            throws InterruptedException {
        final AtomicLong copiedBytes = new AtomicLong();
        final AtomicBoolean isCopied = new AtomicBoolean();
        final Thread copier = Thread.ofPlatform().start(() -> {
            try (DiskCopy copy = new DiskCopy(image, bitmap, log, System::nanoTime, Long.MAX_VALUE)) {
                while (!copy.isDone()) {
                    copy.doWork(4);
                }
                assertTrue(copy.blocksDone() >= copy.blocksTotal());
                copiedBytes.set(copy.dataBytes());
                isCopied.set(true);
            }
        });
        final Thread guest = Thread.ofPlatform().start(() -> {
            if (random != null) {
                writeAtRandom(image, random, isCopied);
            }
        });
        buffer.begin(epoch);
        while (copier.isAlive() || guest.isAlive()) {
            fill(log, buffer);
        }
        final long end = log.beginEpoch(epoch + 1);
        while (!log.isTaken(end)) {
            fill(log, buffer);
        }
        return copiedBytes.get();
    }

    private static void fill(final EpochWriteLog log, final EpochWriteBuffer buffer) {
        log.poll(
                (epoch, change, diskOffset, lengthBytes, memory, dataOffset, firstBytes, secondBytes) -> {
                    assertEquals(buffer.epoch(), epoch);
                    TestChanges.add(
                            buffer, change, diskOffset, lengthBytes, memory, dataOffset, firstBytes, secondBytes);
                    return true;
                },
                16);
    }

    private static void writeAtRandom(final DiskImage image, final Random random, final AtomicBoolean isCopied) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment data = arena.allocate(8192);
            // All over the first part of the disk, before and behind the copy.
            for (int i = 0; i < 300 || (i < 3_000 && !isCopied.get()); i++) {
                data.fill((byte) random.nextInt());
                image.write(data, 0, 8192, random.nextLong(4 << 20), false);
            }
        }
    }

    @Test
    void shouldKeepToItsRate() throws IOException {
        final Path path = TestImage.sparse(directory.resolve("image"), DISK_BYTES, 5);
        final AtomicLong nowNanos = new AtomicLong(77);
        try (DirtyBitmap bitmap = DirtyBitmap.open(directory.resolve("bitmap"), path, DISK_BYTES);
                EpochWriteLog log = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, bitmap);
                DiskImage image = DiskImage.open(path, false, log);
                DiskCopy copy = new DiskCopy(image, bitmap, log, nowNanos::get, 1 << 20)) {
            assertTrue(copy.doWork(1_000) <= 2);
            assertEquals(65_536, copy.dataBytes());
            assertEquals(0, copy.doWork(1_000));
            nowNanos.addAndGet(1_000_000_000);
            copy.doWork(1_000);
            assertEquals((1 << 20) + 65_536, copy.dataBytes());
        }
    }

    @Test
    void shouldNotBeDoneIfTheLogWasStoppedMeanwhile() throws IOException {
        final Path path = TestImage.empty(directory.resolve("image"), DISK_BYTES);
        try (DirtyBitmap bitmap = DirtyBitmap.open(directory.resolve("bitmap"), path, DISK_BYTES);
                EpochWriteLog log = new EpochWriteLog(EpochWriteLog.MIN_CAPACITY_BYTES, bitmap);
                DiskImage image = DiskImage.open(path, false, log)) {
            log.start();
            try (DiskCopy copy = new DiskCopy(image, bitmap, log, System::nanoTime, Long.MAX_VALUE)) {
                assertTrue(copy.doWork(10_000) > 0);
                assertTrue(copy.isDone());
                log.stop();
                log.start();
                assertTrue(copy.isVoid() && !copy.isDone());
                assertEquals(0, copy.doWork(10_000));
            }
        }
    }
}
