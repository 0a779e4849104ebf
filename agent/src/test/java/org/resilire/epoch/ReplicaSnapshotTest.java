package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.agrona.concurrent.NanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.guest.GuestMemory;
import org.resilire.synthetic.SharedMemoryDirectory;
import org.resilire.synthetic.SyntheticMemory;

class ReplicaSnapshotTest {

    /** Every slice is over at once, after the least that it does. */
    private static final NanoClock STOPPED_CLOCK = () -> 0;

    private static final int PAGES = 300;

    @TempDir(factory = SharedMemoryDirectory.class)
    Path directory;

    private SyntheticMemory replica;
    private RandomAccessFile file;
    private ReplicaSnapshot snapshot;

    @BeforeEach
    void open() throws IOException {
        replica = SyntheticMemory.ofReplica(directory.resolve("replica"), PAGES);
        file = new RandomAccessFile(directory.resolve("copy").toFile(), "rw");
        file.setLength((long) PAGES * GuestMemory.PAGE_BYTES);
        snapshot = new ReplicaSnapshot(replica.memory(), file.getChannel());
    }

    @AfterEach
    void close() throws IOException {
        file.close();
        replica.close();
    }

    private void write(final int page, final int value) {
        replica.bytes().set(ValueLayout.JAVA_BYTE, (long) page * GuestMemory.PAGE_BYTES + value, (byte) value);
    }

    private byte[] copied() throws IOException {
        return Files.readAllBytes(directory.resolve("copy"));
    }

    @Test
    void shouldGiveNoMemoryToPagesThatHaveNone() throws IOException {
        write(20, 1);
        write(PAGES - 1, 3);
        while (!snapshot.copySlice(STOPPED_CLOCK, 0)) {
            assertEquals(null, snapshot.failure());
        }
        assertEquals(2, snapshot.writtenPages());
        assertEquals(20, replica.memory().nextPopulatedPage(0));
        assertEquals(PAGES - 1, replica.memory().nextPopulatedPage(21));
        assertArrayEquals(replica.snapshot(), copied());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldKeepTheMemoryOfItsEpochHoweverChangesAndSlicesCome(final long seed) throws IOException {
        final Random random = new Random(seed);
        for (int page = 0; page < PAGES; page++) {
            if (random.nextBoolean()) {
                write(page, 1 + random.nextInt(100));
            }
        }
        final byte[] expected = replica.snapshot();
        boolean isWhole = false;
        while (!isWhole) {
            for (int changes = random.nextInt(20); changes > 0; changes--) {
                final int page = random.nextInt(PAGES);
                snapshot.beforeChange(page);
                write(page, 1 + random.nextInt(100));
            }
            isWhole = snapshot.copySlice(STOPPED_CLOCK, 0);
        }
        assertArrayEquals(expected, copied());
        assertTrue(snapshot.writtenEarly() > 0, "no page was changed before its turn came");
        // Whatever changes later is not its business.
        snapshot.beforeChange(0);
        write(0, 7);
        assertArrayEquals(expected, copied());
        assertEquals(null, snapshot.failure());
    }

    @Test
    void shouldLeaveOutPagesOfZeros() {
        write(17, 1);
        while (!snapshot.copySlice(STOPPED_CLOCK, 0)) {
            assertEquals(null, snapshot.failure());
        }
        assertEquals(1, snapshot.writtenPages());
    }

    @Test
    void shouldWriteNeighboursTogether() throws IOException {
        for (int page = 0; page < PAGES; page++) {
            write(page, 1);
        }
        final byte[] expected = replica.snapshot();
        // As an epoch changes them: in runs, one of which begins where slices have not come.
        for (int page = 100; page < 120; page++) {
            snapshot.beforeChange(page);
            write(page, 2);
        }
        assertTrue(snapshot.writes() <= 3, () -> snapshot.writes() + " writes");
        while (!snapshot.copySlice(STOPPED_CLOCK, 0)) {
            assertEquals(null, snapshot.failure());
        }
        assertEquals(PAGES, snapshot.writtenPages());
        assertEquals(20, snapshot.writtenEarly());
        assertTrue(snapshot.writes() <= PAGES / 8 + 5, () -> snapshot.writes() + " writes");
        assertArrayEquals(expected, copied());
    }

    @Test
    void shouldGiveUpWithAReasonWhenTheCopyCannotBeWritten() throws IOException {
        write(17, 1);
        write(30, 1);
        file.close();
        snapshot.beforeChange(17);
        snapshot.beforeChange(30);
        assertTrue(snapshot.failure().contains("cannot be written"), snapshot.failure());
        snapshot.beforeChange(18);
        assertTrue(snapshot.copySlice(STOPPED_CLOCK, 0), "nothing is left to do");
        assertEquals(0, snapshot.writtenPages());
    }

    @Test
    void shouldWriteNothingMoreOnceItWasAborted() {
        write(17, 1);
        write(30, 1);
        assertFalse(snapshot.copySlice(STOPPED_CLOCK, 0));
        assertEquals(1, snapshot.writtenPages());
        snapshot.abort("the session ended");
        snapshot.beforeChange(30);
        assertTrue(snapshot.copySlice(STOPPED_CLOCK, 0));
        assertEquals("the session ended", snapshot.failure());
        assertEquals(1, snapshot.writtenPages());
    }
}
