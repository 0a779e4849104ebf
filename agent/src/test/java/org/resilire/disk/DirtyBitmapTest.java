package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.BlockFile;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.synthetic.FileRoom;

class DirtyBitmapTest {

    private static final long BLOCKS = 1000;
    private static final long DISK_BYTES = BLOCKS * DirtyBitmap.BLOCK_BYTES - 512;
    private static final UUID REPLICA = new UUID(1, 2);
    private static final UUID BOOT = new UUID(3, 4);

    @TempDir
    Path directory;

    private Path path;
    private Path image;

    @BeforeEach
    void make() throws IOException {
        path = directory.resolve("bitmap");
        image = TestImage.empty(directory.resolve("image"), DISK_BYTES);
    }

    private DirtyBitmap open(final UUID boot) throws IOException {
        return DirtyBitmap.open(path, image, DISK_BYTES, boot);
    }

    private void makeClean() throws IOException {
        try (DirtyBitmap bitmap = open(BOOT)) {
            assertEquals("it is new", bitmap.doubt());
            assertEquals(BLOCKS, bitmap.dirtyBlocks());
            bitmap.beginGeneration();
            bitmap.clearOld();
            assertEquals(0, bitmap.dirtyBlocks());
            assertEquals(-1, bitmap.nextDirty(0));
        }
    }

    @Test
    void shouldTakeEverythingAsChangedForAnotherReplicaOnly() throws IOException {
        try (DirtyBitmap bitmap = open(BOOT)) {
            assertEquals(DirtyBitmap.NO_REPLICA, bitmap.replica());
            bitmap.adopt(REPLICA);
            bitmap.beginGeneration();
            bitmap.clearOld();
        }
        try (DirtyBitmap bitmap = open(BOOT)) {
            assertNull(bitmap.doubt());
            assertEquals(REPLICA, bitmap.replica());
            bitmap.adopt(REPLICA);
            assertEquals(0, bitmap.dirtyBlocks());
            bitmap.adopt(new UUID(7, 7));
            assertEquals(BLOCKS, bitmap.dirtyBlocks());
        }
    }

    @Test
    void shouldHaveNothingMarkedForAReplicaThatIsEqualAndDoubtItOnceItMayNotBe() throws IOException {
        try (DirtyBitmap bitmap = DirtyBitmap.open(path, image, DISK_BYTES)) {
            bitmap.trust(REPLICA);
            assertEquals(REPLICA, bitmap.replica());
            assertEquals(0, bitmap.dirtyBlocks());
            bitmap.mark(7L * DirtyBitmap.BLOCK_BYTES, 1);
            bitmap.adopt(REPLICA);
            assertEquals(1, bitmap.dirtyBlocks());
            bitmap.adopt(DirtyBitmap.NO_REPLICA);
            assertEquals(BLOCKS, bitmap.dirtyBlocks());
        }
    }

    @Test
    void shouldKeepMarksWhenTheAgentEndsAnyhowAndDoubtThemWhenTheHostDoes() throws IOException {
        makeClean();
        final DirtyBitmap killed = open(BOOT);
        assertNull(killed.doubt());
        killed.mark(5L * DirtyBitmap.BLOCK_BYTES + 7, DirtyBitmap.BLOCK_BYTES);
        killed.abandon();
        try (DirtyBitmap next = open(BOOT)) {
            assertNull(next.doubt());
            assertEquals(2, next.dirtyBlocks());
            assertEquals(5, next.nextDirty(0));
            assertEquals(6, next.nextDirty(6));
        }
        // In good order: any later boot may rely on it.
        final DirtyBitmap rebooted = open(new UUID(9, 9));
        assertNull(rebooted.doubt());
        assertEquals(2, rebooted.dirtyBlocks());
        rebooted.abandon();
        try (DirtyBitmap doubtful = open(BOOT)) {
            assertEquals("the host ended while it was in use", doubtful.doubt());
            assertEquals(BLOCKS, doubtful.dirtyBlocks());
        }
    }

    @Test
    void shouldDoubtWhatIsDamagedOrAboutSomethingElse() throws IOException {
        makeClean();
        try (DirtyBitmap larger = DirtyBitmap.open(path, image, 10 * DISK_BYTES, BOOT)) {
            assertTrue(larger.doubt().contains("damaged or of another disk"));
            assertEquals(larger.blocks(), larger.dirtyBlocks());
        }
        Files.write(path, new byte[100]);
        try (DirtyBitmap damaged = open(BOOT)) {
            assertTrue(damaged.doubt().contains("damaged"));
            assertEquals(BLOCKS, damaged.dirtyBlocks());
        }
    }

    @Test
    void shouldDoubtAnImageThatSomebodyChangedWhileNoAgentRan() throws IOException {
        makeClean();
        TestImage.change(image);
        try (DirtyBitmap doubtful = open(BOOT)) {
            assertEquals("the image was changed while no agent ran", doubtful.doubt());
            assertEquals(BLOCKS, doubtful.dirtyBlocks());
            // What its own agent does to it is marked, and no reason for doubt.
            TestImage.change(image);
            doubtful.beginGeneration();
            doubtful.clearOld();
        }
        final DirtyBitmap killed = open(BOOT);
        assertNull(killed.doubt());
        TestImage.change(image);
        killed.abandon();
        // By the agent, for all that can be known.
        try (DirtyBitmap next = open(BOOT)) {
            assertNull(next.doubt());
            assertEquals(0, next.dirtyBlocks());
        }
    }

    @Test
    void shouldHaveRoomForEveryMarkFromTheStart() throws IOException, InterruptedException {
        // Of a disk whose bitmap has many pages.
        final long diskBytes = 1L << 40;
        try (DirtyBitmap bitmap = DirtyBitmap.open(path, image, diskBytes, BOOT)) {
            bitmap.beginGeneration();
            bitmap.clearOld();
        }
        final int markedFrom = 4096;
        try (BlockFile file = BlockFile.open(path, true)) {
            assertTrue(file.punchHole(markedFrom, file.lengthBytes() - markedFrom), "this test needs holes");
        }
        assertTrue(FileRoom.bytes(path) < Files.size(path));
        try (DirtyBitmap bitmap = DirtyBitmap.open(path, image, diskBytes, BOOT)) {
            assertNull(bitmap.doubt());
            assertEquals(0, bitmap.dirtyBlocks());
            assertTrue(FileRoom.bytes(path) >= Files.size(path));
        }
    }

    @Test
    void shouldSayInOneLineThatThereIsNoRoomAndLeaveNothingBehind() throws IOException {
        final DirtyBitmap.Room none = (file, lengthBytes) -> {
            throw new LinuxException("fallocate", file.toString(), Errno.ENOSPC);
        };
        final DiskImageException failure =
                assertThrows(DiskImageException.class, () -> DirtyBitmap.open(path, image, DISK_BYTES, BOOT, none));
        assertEquals(
                "there is no room for " + path + ", which needs 4 KiB: make some there, or give another --state-dir",
                failure.getMessage());
        assertFalse(Files.exists(path));
        makeClean();
        assertThrows(DiskImageException.class, () -> DirtyBitmap.open(path, image, DISK_BYTES, BOOT, none));
        try (DirtyBitmap kept = open(BOOT)) {
            assertNull(kept.doubt());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldDoubtAnotherImageHoweverTheAgentEnded(final boolean isKill) throws IOException {
        makeClean();
        if (isKill) {
            open(BOOT).abandon();
        }
        TestImage.exchange(image);
        try (DirtyBitmap doubtful = open(BOOT)) {
            assertEquals("the image is another file", doubtful.doubt());
            assertEquals(BLOCKS, doubtful.dirtyBlocks());
        }
    }

    @Test
    void shouldForgetOnlyWhatIsOlderThanTheGeneration() throws IOException {
        makeClean();
        final Random random = new Random(5);
        final BitSet old = new BitSet();
        final BitSet young = new BitSet();
        try (DirtyBitmap bitmap = open(BOOT)) {
            for (int step = 0; step < 2_000; step++) {
                switch (random.nextInt(20)) {
                    case 0 -> {
                        bitmap.beginGeneration();
                        old.or(young);
                        young.clear();
                    }
                    case 1 -> {
                        bitmap.clearOld();
                        old.clear();
                    }
                    case 2 -> {
                        // In pieces, as while the disk is in use.
                        for (long word = 0; word >= 0; ) {
                            word = bitmap.joinOld(word, 1 + random.nextInt(5));
                            mark(bitmap, random, young);
                        }
                        bitmap.turn();
                        old.or(young);
                        young.clear();
                    }
                    default -> mark(bitmap, random, young);
                }
                final BitSet both = (BitSet) old.clone();
                both.or(young);
                assertEquals(both.cardinality(), bitmap.dirtyBlocks());
                final int from = random.nextInt((int) BLOCKS);
                assertEquals(both.nextSetBit(from), bitmap.nextDirty(from));
            }
        }
    }

    private static void mark(final DirtyBitmap bitmap, final Random random, final BitSet young) {
        final int first = random.nextInt((int) BLOCKS);
        final int count = 1 + random.nextInt(Math.min(70, (int) BLOCKS - first));
        bitmap.mark((long) first * DirtyBitmap.BLOCK_BYTES + 1, Math.max(1, (count - 1L) * DirtyBitmap.BLOCK_BYTES));
        young.set(first, first + count);
    }
}
