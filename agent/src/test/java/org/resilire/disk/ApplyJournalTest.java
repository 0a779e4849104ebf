package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.disk.FlakyStorage.EndOfWorld;
import org.resilire.disk.FlakyStorage.World;
import org.resilire.linux.BlockFile;
import org.resilire.linux.LinuxException;

/**
 * Ends the world at every single call that changes the journal's file or the disk, by a kill and by a loss of power, and looks at what
 * the next process makes of it.
 */
class ApplyJournalTest {

    private static final int DISK_BYTES = 256 << 10;
    private static final int EPOCHS = 4;
    private static final byte[] NO_DATA = {};
    private static final int[] CUTS_SIXTEENTHS = {0, 1, 8, 15};

    @TempDir
    Path directory;

    private final EpochWriteBuffer writes = new EpochWriteBuffer(8 << 20, DISK_BYTES);
    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        writes.close();
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldLeaveTheDiskAfterAWholeEpochHoweverTheWorldEnds(final long seed) {
        final List<byte[]> states = new ArrayList<>();
        final World calm = new World();
        final FlakyStorage calmDisk = new FlakyStorage(calm, new byte[DISK_BYTES]);
        states.add(calmDisk.content());
        runEpochs(seed, new FlakyStorage(calm, new byte[0]), calmDisk, states);
        assertEquals(EPOCHS + 1, states.size());
        final long calls = calm.calls();
        assertTrue(calls > 30);

        int finished = 0;
        for (long end = 0; end < calls; end++) {
            for (int variant = 0; variant < 2 * CUTS_SIXTEENTHS.length; variant++) {
                finished += crash(seed, end, variant, states) ? 1 : 0;
            }
        }
        assertTrue(finished > 10, "recovery had something to do " + finished + " times only");
    }

    private boolean crash(final long seed, final long end, final int variant, final List<byte[]> states) {
        final World world = new World();
        world.endAfter(end, CUTS_SIXTEENTHS[variant / 2]);
        final boolean isKill = variant % 2 == 0;
        FlakyStorage journal = new FlakyStorage(world, new byte[0]);
        FlakyStorage disk = new FlakyStorage(world, new byte[DISK_BYTES]);
        final List<byte[]> reached = new ArrayList<>();
        final FlakyStorage journalAtEnd = journal;
        final FlakyStorage diskAtEnd = disk;
        assertThrows(EndOfWorld.class, () -> runEpochs(seed, journalAtEnd, diskAtEnd, reached));

        final World next = new World();
        final Random random = chaos(seed * 1_000_003 + end * 16 + variant);
        journal = isKill ? journal.afterKill(next) : journal.afterPowerLoss(next, random);
        disk = isKill ? disk.afterKill(next) : disk.afterPowerLoss(next, random);
        final String where = "end at call " + end + (isKill ? " by a kill" : " by loss of power");
        final boolean finished;
        try (ApplyJournal recovered = new ApplyJournal(journal, disk)) {
            finished = recovered.recover();
            final int whole = wholeEpochs(disk.content(), states);
            assertTrue(whole >= reached.size(), where + ": the disk is at " + whole + " of " + reached.size());
            assertTrue(whole <= reached.size() + 1, where);
            if (recovered.appliedEpoch() >= 0) {
                assertArrayEquals(states.get((int) recovered.appliedEpoch()), disk.content(), where);
            }
        }
        return finished;
    }

    /** Small seeds alone would all begin with the same choice. */
    private static Random chaos(final long number) {
        return new Random(number * 0x9E3779B97F4A7C15L);
    }

    private static int wholeEpochs(final byte[] content, final List<byte[]> states) {
        for (int i = 0; i < states.size(); i++) {
            if (Arrays.equals(states.get(i), content)) {
                return i;
            }
        }
        return -1;
    }

    /** Adds the disk's state after each epoch. */
    private void runEpochs(
            final long seed, final FlakyStorage journal, final FlakyStorage disk, final List<byte[]> states) {
        final Random random = new Random(seed);
        try (ApplyJournal applying = new ApplyJournal(journal, disk)) {
            applying.recover();
            for (int epoch = 1; epoch <= EPOCHS; epoch++) {
                fill(epoch, random);
                applying.commit(writes);
                states.add(disk.content());
                assertEquals(epoch, applying.appliedEpoch());
            }
        }
    }

    private void fill(final long epoch, final Random random) {
        writes.drop();
        writes.begin(epoch);
        for (int i = 0; i < 5; i++) {
            final int lengthBytes = 1 + random.nextInt(20_000);
            final int offset = random.nextInt(DISK_BYTES - lengthBytes);
            if (i == 2) {
                final DiskChange change = random.nextBoolean() ? DiskChange.ZERO : DiskChange.DISCARD;
                TestChanges.add(writes, change, offset, lengthBytes, NO_DATA);
            } else {
                final byte[] data = new byte[lengthBytes];
                random.nextBytes(data);
                TestChanges.add(writes, DiskChange.WRITE, offset, lengthBytes, data);
            }
        }
        writes.commit();
    }

    @Test
    void shouldNotPutOldDataOverNewOnceTheDiskWasReleased() {
        final World world = new World();
        final FlakyStorage journal = new FlakyStorage(world, new byte[0]);
        final FlakyStorage disk = new FlakyStorage(world, new byte[DISK_BYTES]);
        try (ApplyJournal applying = new ApplyJournal(journal, disk)) {
            applying.recover();
            fill(1, new Random(1));
            applying.commit(writes);
            applying.release();
        }
        disk.write(MemorySegment.ofArray(new byte[DISK_BYTES]), 0, DISK_BYTES, 0);
        disk.sync();
        for (int i = 0; i < 20; i++) {
            final FlakyStorage left = disk.afterPowerLoss(world, chaos(i));
            try (ApplyJournal next = new ApplyJournal(journal.afterPowerLoss(world, chaos(i)), left)) {
                assertFalse(next.recover());
                assertEquals(1, next.appliedEpoch());
            }
            assertArrayEquals(new byte[DISK_BYTES], left.content());
        }
    }

    /** With a real file, which grows behind the journal's back, and with the same journal and another one. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldFinishTheEpochOnceADiskThatWasFullHasRoom(final boolean isSameProcess) throws IOException {
        final Path journalPath = Files.createFile(directory.resolve("journal"));
        final FlakyStorage disk = new FlakyStorage(new World(), new byte[DISK_BYTES]);
        try (BlockFile journal = BlockFile.open(journalPath, true);
                ApplyJournal applying = new ApplyJournal(Storage.of(journal), disk)) {
            applying.recover();
            fill(1, new Random(1));
            disk.isFull = true;
            assertTrue(assertThrows(LinuxException.class, () -> applying.commit(writes))
                    .getMessage()
                    .contains("ENOSPC"));
            assertTrue(applying.isBroken());
            assertThrows(IllegalStateException.class, () -> applying.commit(writes));
            assertThrows(IllegalStateException.class, applying::release);
            disk.isFull = false;
            if (isSameProcess) {
                assertFinished(applying, disk);
            }
        }
        if (!isSameProcess) {
            try (BlockFile journal = BlockFile.open(journalPath, true);
                    ApplyJournal next = new ApplyJournal(Storage.of(journal), disk)) {
                assertFinished(next, disk);
            }
        }
    }

    private void assertFinished(final ApplyJournal journal, final FlakyStorage disk) {
        assertTrue(journal.recover());
        assertFalse(journal.isBroken());
        assertEquals(1, journal.appliedEpoch());
        final FlakyStorage calmDisk = new FlakyStorage(new World(), new byte[DISK_BYTES]);
        try (ApplyJournal calm = new ApplyJournal(new FlakyStorage(new World(), new byte[0]), calmDisk)) {
            calm.recover();
            calm.commit(writes);
        }
        assertArrayEquals(calmDisk.content(), disk.content());
    }

    @Test
    void shouldApplyNothingOfAnEpochThatHasNotCommitted() {
        final FlakyStorage disk = new FlakyStorage(new World(), new byte[DISK_BYTES]);
        try (ApplyJournal applying = new ApplyJournal(new FlakyStorage(new World(), new byte[0]), disk)) {
            applying.recover();
            writes.begin(1);
            TestChanges.add(writes, DiskChange.WRITE, 0, 2, new byte[] {1, 1});
            applying.commit(writes);
            assertArrayEquals(new byte[DISK_BYTES], disk.content());
            writes.commit();
            writes.begin(2);
            TestChanges.add(writes, DiskChange.WRITE, 1, 2, new byte[] {2, 2});
            applying.commit(writes);
            assertArrayEquals(new byte[] {1, 1, 0}, Arrays.copyOf(disk.content(), 3));
        }
    }

    @Test
    void shouldKeepWhatCannotBeOutOfTheBuffer() {
        assertThrows(InvalidChangeException.class, () -> TestChanges.add(writes, DiskChange.ZERO, 0, 512, NO_DATA));
        writes.begin(1);
        for (final long[] range : new long[][] {
            {-1, 512}, {DISK_BYTES, 1}, {DISK_BYTES - 511, 512}, {0, 0}, {0, -1}, {Long.MAX_VALUE, Long.MAX_VALUE}
        }) {
            assertThrows(
                    InvalidChangeException.class,
                    () -> TestChanges.add(writes, DiskChange.DISCARD, range[0], range[1], NO_DATA));
        }
        final byte[] data = new byte[DISK_BYTES];
        assertThrows(
                InvalidChangeException.class,
                () -> TestChanges.add(writes, DiskChange.WRITE, 0, 1000, Arrays.copyOf(data, 900)));
        assertEquals(0, writes.changes());
        final InvalidChangeException full = assertThrows(InvalidChangeException.class, () -> {
            for (int i = 0; i < 100; i++) {
                TestChanges.add(writes, DiskChange.WRITE, 0, DISK_BYTES, data);
            }
        });
        assertTrue(full.getMessage().contains("more than 8388608 bytes of disk writes in epoch 1"));
        writes.drop();
        assertEquals(-1, writes.epoch());
        assertThrows(InvalidChangeException.class, () -> TestChanges.add(writes, DiskChange.ZERO, 0, 512, NO_DATA));
    }
}
