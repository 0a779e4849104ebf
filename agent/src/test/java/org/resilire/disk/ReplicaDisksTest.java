package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.synthetic.Await;

/** The disks of a standby: what a trial of them sees, and who may write to them when. The test's thread is the link's and the standby's. */
@Timeout(60)
class ReplicaDisksTest {

    private static final int LENGTH_BYTES = 1 << 20;
    private static final int WRITE_BYTES = 4096;
    private static final long LIMIT_NANOS = 20_000_000_000L;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofShared();
    private Path image;
    private Path socket;
    private ReplicaDisks disks;

    @BeforeEach
    void open() throws IOException {
        image = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        socket = directory.resolve("d0.nbd");
        disks = ReplicaDisks.open(List.of(new DiskConfig("d0", image, socket)), directory, "db", 1);
        assertNull(disks.prepare(LIMIT_NANOS));
        disks.startSession(1);
    }

    @AfterEach
    void close() throws IOException {
        disks.close();
        arena.close();
    }

    /** A write that fills a range with the number of its epoch. */
    private void stage(final long epoch, final long diskOffset) {
        final int recordBytes = (int) WriteRecord.recordBytes(WRITE_BYTES);
        final MemorySegment record = arena.allocate(recordBytes, Long.BYTES);
        WriteRecord.put(record, 0, epoch, DiskChange.WRITE, diskOffset, WRITE_BYTES);
        record.asSlice(WriteRecord.HEADER_BYTES, WRITE_BYTES).fill((byte) epoch);
        disks.stage(epoch, 0, 1, new UnsafeBuffer(record.address(), recordBytes), 0, recordBytes);
    }

    private void commitAndApply(final long epoch) {
        disks.commit(epoch);
        Await.until("epoch " + epoch + " is on the disk", () -> {
            disks.doWork();
            return disks.reportableEpoch() >= epoch;
        });
    }

    private static byte[] filled(final long epoch) {
        final byte[] bytes = new byte[WRITE_BYTES];
        Arrays.fill(bytes, (byte) epoch);
        return bytes;
    }

    private byte[] onReplica(final int offset) throws IOException {
        return Arrays.copyOfRange(Files.readAllBytes(image), offset, offset + WRITE_BYTES);
    }

    private Path trialDirectory() throws IOException {
        return Files.createDirectories(directory.resolve("trial"));
    }

    @Test
    void shouldShowATrialTheDiskOfItsEpochWhileLaterOnesAreApplied() throws IOException {
        stage(1, 0);
        commitAndApply(1);
        // Some of the next epoch has come already.
        stage(2, 0);
        try (DiskTrial trial = DiskTrial.open(disks, directory)) {
            assertTrue(disks.isAllHandedOver());
            disks.beginTrial(trial);
            assertTrue(trial.isExact());
            stage(2, 8 * WRITE_BYTES);
            commitAndApply(2);
            stage(3, 0);
            commitAndApply(3);
            final Map<Path, Path> sockets = trial.serve(trialDirectory());
            try (TestNbdClient client = TestNbdClient.go(sockets.get(socket), "d0")) {
                assertArrayEquals(filled(1), client.read(0, WRITE_BYTES, true));
                assertArrayEquals(filled(0), client.read(8 * WRITE_BYTES, WRITE_BYTES, true));
                assertEquals(0, client.ask(0, Nbd.CMD_WRITE, WRITE_BYTES, WRITE_BYTES, filled(7)));
                assertArrayEquals(filled(7), client.read(WRITE_BYTES, WRITE_BYTES, true));
            }
        }
        assertArrayEquals(filled(3), onReplica(0));
        assertArrayEquals(filled(0), onReplica(WRITE_BYTES));
        assertArrayEquals(filled(2), onReplica(8 * WRITE_BYTES));
    }

    @Test
    void shouldEndATrialWhoseUserHasGoneAndThenPreserveNothing() throws IOException {
        final DiskTrial trial = DiskTrial.open(disks, directory);
        disks.beginTrial(trial);
        final Path served = trial.serve(trialDirectory()).get(socket);
        try (TestNbdClient client = TestNbdClient.go(served, "d0")) {
            client.read(0, WRITE_BYTES, true);
        }
        Await.until("the trial is over", () -> trial.failure() != null && !Files.exists(served));
        stage(1, 0);
        commitAndApply(1);
        assertArrayEquals(filled(1), onReplica(0));
        trial.close();
    }

    @Test
    void shouldEndATrialWhenThisHostTakesOver() throws IOException {
        try (DiskTrial trial = DiskTrial.open(disks, directory)) {
            disks.beginTrial(trial);
            final Path served = trial.serve(trialDirectory()).get(socket);
            try (TestNbdClient client = TestNbdClient.go(served, "d0")) {
                client.read(0, WRITE_BYTES, true);
                disks.finishApplying(LIMIT_NANOS);
                disks.prepareTakeover();
                disks.letWrite(2);
                assertEquals(Nbd.EIO, client.ask(0, Nbd.CMD_READ, 0, WRITE_BYTES, new byte[0]));
            }
            assertTrue(trial.failure().contains("takes the guest over"), trial.failure());
        }
    }

    @Test
    void shouldLetAGuestWriteThatWasGivenAwayAndNoOneBefore() throws IOException {
        stage(1, 0);
        disks.commit(1);
        final UUID before = disks.identities().getFirst().replica();
        try (TestNbdClient guest = TestNbdClient.go(socket, "d0")) {
            Await.until("all is handed over", () -> {
                disks.doWork();
                return disks.isAllHandedOver();
            });
            disks.prepareMove(LIMIT_NANOS);
            assertArrayEquals(filled(1), onReplica(0));
            assertEquals(Nbd.EPERM, guest.ask(0, Nbd.CMD_WRITE, 0, WRITE_BYTES, filled(9)));
            disks.letWrite(2);
            assertTrue(disks.isUntouched());
            final PrimaryDisk here = disks.toPrimary().getFirst();
            assertEquals(ReplicaIdentity.leftBehind(before, 2), here.identity().replica());
            assertEquals(0, guest.ask(0, Nbd.CMD_WRITE, 0, WRITE_BYTES, filled(9)));
            assertFalse(disks.isUntouched());
            disks.closeGates();
            assertEquals(Nbd.EPERM, guest.ask(0, Nbd.CMD_WRITE, 0, WRITE_BYTES, filled(8)));
        }
        assertNotEquals(before, disks.identities().getFirst().replica(), "it is no copy of what the primary had");
    }

    @Test
    void shouldSayOnceTheFirstEpochHasComeWhatIsNotAsItWasLeft() throws IOException {
        final DiskConfig config = new DiskConfig(
                "d1", TestImage.empty(directory.resolve("left"), LENGTH_BYTES), directory.resolve("d1.nbd"));
        final UUID replica = UUID.randomUUID();
        try (PrimaryDisk primary = PrimaryDisk.open(config, directory, "db")) {
            primary.log().trust(replica);
            primary.bitmap().mark(3L * DirtyBitmap.BLOCK_BYTES, 1);
            primary.bitmap().mark(9L * DirtyBitmap.BLOCK_BYTES, DirtyBitmap.BLOCK_BYTES + 1);
        }
        try (ReplicaDisks left = ReplicaDisks.open(List.of(config), directory, "db", 4)) {
            assertEquals(
                    ReplicaIdentity.leftBehind(replica, 5),
                    left.identities().getFirst().replica());
            assertNull(left.prepare(LIMIT_NANOS));
            for (int session = 0; session < 2; session++) {
                final long firstEpoch = 100L * session + 1;
                left.startSession(firstEpoch);
                assertEquals(0, left.differing(0), "the primary may not listen yet");
                left.commit(firstEpoch);
                assertTrue(left.reportableEpoch() < firstEpoch, "not before it has said so");
                assertEquals(3, left.differing(0));
                assertEquals(3L * DirtyBitmap.BLOCK_BYTES, left.differingOffset(0, 0));
                assertEquals(10L * DirtyBitmap.BLOCK_BYTES, left.differingOffset(0, 2));
                left.reported(0, 3);
                assertEquals(firstEpoch, left.reportableEpoch());
                left.endSession();
            }
        }
        try (ReplicaDisks again = ReplicaDisks.open(List.of(config), directory, "db", 4)) {
            assertNotEquals(
                    ReplicaIdentity.leftBehind(replica, 5),
                    again.identities().getFirst().replica(),
                    "what has become of it since is not known");
        }
    }

    @Test
    void shouldSayNothingOfADiskWhoseBitmapCannotBeReliedOn() throws IOException {
        final DiskConfig config = new DiskConfig(
                "d1", TestImage.empty(directory.resolve("left"), LENGTH_BYTES), directory.resolve("d1.nbd"));
        final UUID replica = UUID.randomUUID();
        try (PrimaryDisk primary = PrimaryDisk.open(config, directory, "db")) {
            primary.log().trust(replica);
        }
        Files.write(DiskFiles.of(directory, "db", "d1").bitmap(), new byte[100]);
        try (ReplicaDisks left = ReplicaDisks.open(List.of(config), directory, "db", 4)) {
            assertNotEquals(
                    ReplicaIdentity.leftBehind(replica, 5),
                    left.identities().getFirst().replica());
            left.startSession(1);
            left.commit(1);
            assertEquals(0, left.differing(0));
        }
    }

    @Test
    void shouldCallWhatIsLeftBehindByEachMoveSomethingElse() {
        final UUID replica = UUID.randomUUID();
        assertEquals(ReplicaIdentity.leftBehind(replica, 5), ReplicaIdentity.leftBehind(replica, 5));
        assertNotEquals(ReplicaIdentity.leftBehind(replica, 5), ReplicaIdentity.leftBehind(replica, 6));
        assertNotEquals(ReplicaIdentity.leftBehind(replica, 5), ReplicaIdentity.leftBehind(UUID.randomUUID(), 5));
    }
}
