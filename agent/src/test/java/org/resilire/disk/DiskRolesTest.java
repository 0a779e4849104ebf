package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.BlockFile;
import org.resilire.linux.LinuxException;
import org.resilire.synthetic.Await;

/** A disk from one agent to the next, and from one role to the other. */
@Timeout(60)
class DiskRolesTest {

    private static final String VM = "db";
    private static final int DISK_BYTES = 8 << 20;
    private static final int CHANGED_OFFSET = 1 << 20;
    private static final int CHANGED_BYTES = 512;

    @TempDir
    Path directory;

    private Path image;
    private DiskConfig config;
    private DiskFiles files;

    @BeforeEach
    void make() throws IOException {
        image = TestImage.empty(directory.resolve("image"), DISK_BYTES);
        config = new DiskConfig("d0", image, directory.resolve("d0.nbd"));
        files = DiskFiles.of(directory, VM, config.name());
    }

    private ReplicaDisks openReplica() throws IOException {
        return ReplicaDisks.open(List.of(config), directory, VM, 1);
    }

    private UUID identity() throws IOException {
        try (ReplicaDisks disks = openReplica()) {
            return disks.identities().getFirst().replica();
        }
    }

    @Test
    void shouldBeAnotherCopyOnceSomebodyChangedItWhileNoAgentRan() throws IOException {
        final UUID first = identity();
        assertEquals(first, identity());
        TestImage.change(image);
        final UUID second = identity();
        assertNotEquals(first, second);
        TestImage.exchange(image);
        assertNotEquals(second, identity());
    }

    /** What it had applied is in the image, and the journal has the rest. */
    @Test
    void shouldStayTheSameCopyWhenItsAgentIsKilled() throws IOException {
        final UUID first;
        final byte[] inUse;
        try (ReplicaDisks disks = openReplica()) {
            first = disks.identities().getFirst().replica();
            inUse = Files.readAllBytes(files.identity());
        }
        Files.write(files.identity(), inUse);
        TestImage.change(image);
        assertEquals(first, identity());
    }

    /** As an agent leaves it that is killed while it applies: whole in the journal, and nothing of it on the disk. */
    private void leaveHalfApplied() throws IOException {
        identity();
        final FlakyStorage fullDisk = new FlakyStorage(new FlakyStorage.World(), new byte[0]);
        fullDisk.isFull = true;
        try (BlockFile file = BlockFile.open(files.journal(), true);
                ApplyJournal journal = new ApplyJournal(Storage.of(file), fullDisk);
                EpochWriteBuffer writes = new EpochWriteBuffer(1 << 20, DISK_BYTES);
                Arena arena = Arena.ofConfined()) {
            journal.recover();
            final long recordBytes = WriteRecord.recordBytes(CHANGED_BYTES);
            final MemorySegment record = arena.allocate(recordBytes);
            record.fill((byte) 7);
            WriteRecord.put(record, 0, 1, DiskChange.WRITE, CHANGED_OFFSET, CHANGED_BYTES);
            writes.begin(1);
            writes.append(1, new UnsafeBuffer(record.asByteBuffer()), 0, (int) recordBytes);
            writes.commit();
            assertThrows(LinuxException.class, () -> journal.commit(writes));
        }
    }

    private byte[] changed() throws IOException {
        return Arrays.copyOfRange(Files.readAllBytes(image), CHANGED_OFFSET, CHANGED_OFFSET + CHANGED_BYTES);
    }

    private static byte[] bytes(final int value) {
        final byte[] bytes = new byte[CHANGED_BYTES];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void shouldFinishAHalfAppliedEpochBeforeAGuestHasTheDisk() throws IOException {
        leaveHalfApplied();
        PrimaryDisk.open(config, directory, VM).close();
        assertArrayEquals(bytes(7), changed());
        assertFalse(Files.exists(files.journal()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotPutAJournalIntoAnotherImage(final boolean isReplica) throws IOException {
        leaveHalfApplied();
        TestImage.exchange(image);
        if (isReplica) {
            openReplica().close();
        } else {
            PrimaryDisk.open(config, directory, VM).close();
        }
        assertArrayEquals(bytes(0), changed());
    }

    @Test
    void shouldHaveEverythingOnStableStorageWhenItsBitmapSaysSo() throws IOException {
        final PrimaryDisk disk = PrimaryDisk.open(config, directory, VM);
        try (Arena arena = Arena.ofConfined()) {
            disk.image().beginDeferringFlushes();
            disk.image().write(arena.allocate(CHANGED_BYTES), 0, CHANGED_BYTES, 0, false);
        }
        disk.close();
        disk.image().endDeferringFlushes();
        assertFalse(disk.image().needsFlush());
    }

    /** That one goes on marking; the host's end must still be a reason for doubt. */
    @Test
    void shouldLeaveTheBitmapOfAnAgentThatHasTheImage() throws IOException {
        try (PrimaryDisk first = PrimaryDisk.open(config, directory, VM)) {
            assertFalse(first.isConnected());
            final DiskConfig elsewhere = new DiskConfig("d0", image, directory.resolve("other.nbd"));
            assertThrows(DiskImageException.class, () -> PrimaryDisk.open(elsewhere, directory, VM));
            final Path asTheHostEnds = Files.copy(files.bitmap(), directory.resolve("copy"));
            try (DirtyBitmap bitmap = DirtyBitmap.open(asTheHostEnds, image, DISK_BYTES, new UUID(9, 9))) {
                assertEquals("the host ended while it was in use", bitmap.doubt());
            }
        }
    }

    @Test
    void shouldKeepTheFilesOfTwoDisksApart() {
        assertNotEquals(DiskFiles.of(directory, "a.b", "c"), DiskFiles.of(directory, "a", "b.c"));
    }

    @Test
    void shouldEndWhileDifferencesWaitForSomebodyWhoIsGone() throws IOException {
        final int comparisons = 5_000;
        final int recordBytes = (int) WriteRecord.recordBytes(DiskChange.COMPARE, CHANGED_BYTES);
        try (Arena arena = Arena.ofConfined();
                ReplicaDisks disks = openReplica()) {
            final MemorySegment records = arena.allocate((long) comparisons * recordBytes);
            for (int i = 0; i < comparisons; i++) {
                final long at = (long) i * recordBytes;
                WriteRecord.put(records, at, 1, DiskChange.COMPARE, 0, CHANGED_BYTES);
                records.set(ValueLayout.JAVA_LONG, at + WriteRecord.HEADER_BYTES, 1);
            }
            disks.startSession(1);
            disks.stage(1, 0, comparisons, new UnsafeBuffer(records.asByteBuffer()), 0, comparisons * recordBytes);
            disks.commit(1);
            Await.until("there is no more room for differences", () -> disks.differing(0) >= 4_096);
            assertTrue(disks.differing(0) < comparisons);
        }
    }
}
