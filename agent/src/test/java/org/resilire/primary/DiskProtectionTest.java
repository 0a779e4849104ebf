package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.disk.DirtyBitmap;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.DiskResync;
import org.resilire.disk.DiskTrial;
import org.resilire.disk.DiskVerification;
import org.resilire.disk.PrimaryDisk;
import org.resilire.disk.ReplicaDisks;
import org.resilire.disk.TestNbdClient;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;

/** Disks of a primary and a backup over real Aeron, without QEMU: every eighth step of the guest writes its number to its disk. */
@Timeout(120)
class DiskProtectionTest {

    private static final int PAGES = 24;
    private static final int DISK_BYTES = 8 << 20;
    private static final int STEP_BYTES = 4096;
    private static final int PLACES = 40;
    private static final int WRITING_STEPS = 8;
    private static final int TRIMMING_STEPS = 56;
    private static final long GENERATION_NANOS = TimeUnit.SECONDS.toNanos(1);

    @TempDir
    Path directory;

    private final Endpoint endpoint = TestTransport.freeEndpoint();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment data = arena.allocate(STEP_BYTES);
    private Path image;
    private Path replica;
    private byte[] before;
    private long firstStep;
    private TestBackup backup;
    private TestPrimary primary;

    @BeforeEach
    void make() throws IOException {
        image = directory.resolve("image");
        replica = directory.resolve("replica");
        before = fill(image, 1);
        backup = new TestBackup(directory.resolve("backup"), PAGES, endpoint);
        backup.disk = replica;
        primary = new TestPrimary(directory.resolve("primary"), PAGES, endpoint);
        primary.disk = image;
    }

    @AfterEach
    void close() {
        primary.close();
        backup.close();
        arena.close();
    }

    private static byte[] fill(final Path path, final long seed) throws IOException {
        final byte[] content = new byte[DISK_BYTES];
        final Random random = new Random(seed);
        final byte[] block = new byte[100_000];
        for (int at = 0; at + block.length < DISK_BYTES; at += 3 * block.length) {
            random.nextBytes(block);
            System.arraycopy(block, 0, content, at, block.length);
        }
        Files.write(path, content);
        return content;
    }

    private static void makeHole(final Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(DISK_BYTES);
        }
    }

    private void protect() {
        backup.start();
        primary.start();
        synchronized (primary.guest) {
            firstStep = primary.guest.steps() + 1;
            primary.guest.onStep = this::writeStep;
        }
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(20);
    }

    /** On the guest's thread, which stands still in pauses. */
    private void writeStep(final long step) {
        if (step % WRITING_STEPS != 0) {
            return;
        }
        data.set(ValueLayout.JAVA_LONG, 0, step);
        primary.primaryDisk.image().write(data, 0, STEP_BYTES, offsetOf(step), false);
        if (step % TRIMMING_STEPS == 0) {
            primary.primaryDisk.image().trim(offsetOf(step + 3 * WRITING_STEPS), STEP_BYTES / 2, false);
        }
    }

    private static long offsetOf(final long step) {
        return step / WRITING_STEPS * 31 % PLACES * STEP_BYTES;
    }

    /** What the disk is after so many steps of the guest. */
    private byte[] diskAfter(final long steps) {
        final byte[] disk = before.clone();
        final ByteBuffer view = ByteBuffer.wrap(disk).order(ByteOrder.nativeOrder());
        for (long step = firstStep; step <= steps; step++) {
            if (step % WRITING_STEPS != 0) {
                continue;
            }
            view.put((int) offsetOf(step), new byte[STEP_BYTES]);
            view.putLong((int) offsetOf(step), step);
            if (step % TRIMMING_STEPS == 0) {
                view.put((int) offsetOf(step + 3 * WRITING_STEPS), new byte[STEP_BYTES / 2]);
            }
        }
        return disk;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveTheDiskOfTheCheckpointFromWhichTheGuestGoesOn(final boolean isReplicaEmpty) throws IOException {
        if (isReplicaEmpty) {
            makeHole(replica);
        } else {
            final byte[] old = fill(replica, 1);
            old[5_000_000]++;
            Files.write(replica, old);
        }
        protect();
        final DiskResync resync = primary.session.diskCopies().resync(0);
        if (!isReplicaEmpty) {
            assertTrue(resync.copiedBytes() <= 4 * DirtyBitmap.BLOCK_BYTES, "what is equal does not travel");
        }
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() > firstStep);
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
    }

    /** The steps' own place is all that may be marked once a generation or two were cleared. */
    private void awaitClearedBitmap() {
        Await.until("the bitmap is cleared", () -> primary.primaryDisk.bitmap().dirtyBlocks() <= 4, () -> {
            primary.pass(GENERATION_NANOS);
            // Otherwise time might run away from a backup that is late, until it counts as lost.
            primary.awaitCheckpoints(1);
        });
    }

    @Test
    void shouldSendAfterAnOutageOnlyWhatHasChanged() throws IOException {
        makeHole(replica);
        protect();
        awaitClearedBitmap();
        backup.close();
        primary.passSilence();
        Await.until(
                "the guest goes on",
                () -> primary.state() == AgentState.UNPROTECTED || primary.state() == AgentState.CONNECTING,
                () -> primary.pass(TestBackup.DETECT_TIMEOUT_NANOS));
        Files.delete(directory.resolve("backup").resolve("replica"));
        backup = new TestBackup(directory.resolve("backup"), PAGES, endpoint);
        backup.disk = replica;
        backup.start();
        primary.awaitState(AgentState.PROTECTED);
        final DiskResync resync = primary.session.diskCopies().resync(0);
        assertTrue(resync.blocksTotal() <= 4, () -> resync.blocksTotal() + " blocks of " + DISK_BYTES / 65_536);
        primary.awaitCheckpoints(5);
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
    }

    private CompletableFuture<SwitchoverRequests.Moved> move() {
        final CompletableFuture<SwitchoverRequests.Moved> asked = primary.move();
        Await.until("an answer", asked::isDone);
        return asked;
    }

    @Test
    void shouldMoveTheDiskWithItsGuestAndLeaveACopyOfWhichTheOtherHostKnowsWhatChanges() throws IOException {
        makeHole(replica);
        protect();
        final long generation = move().join().generation();
        assertEquals(ProtectionLoop.End.SWITCHED_OVER, primary.awaitEnd());
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
        assertArrayEquals(Files.readAllBytes(image), Files.readAllBytes(replica));

        primary.primaryDisk.leave(generation);
        primary.primaryDisk.close();
        final PrimaryDisk moved = backup.diskOfGuest();
        assertEquals(0, moved.bitmap().dirtyBlocks());
        moved.image().write(data, 0, STEP_BYTES, 3L * DirtyBitmap.BLOCK_BYTES, false);
        assertEquals(1, moved.bitmap().dirtyBlocks());
        try (ReplicaDisks left = ReplicaDisks.open(
                List.of(new DiskConfig("d0", image, directory.resolve("left.nbd"))),
                directory.resolve("primary").resolve("state"),
                TestBackup.VM,
                generation)) {
            assertEquals(moved.bitmap().replica(), left.identities().getFirst().replica());
        }
    }

    @Test
    void shouldShowATrialMemoryAndDiskOfTheSameInstantWhileTheGuestGoesOn() throws IOException {
        makeHole(replica);
        protect();
        for (int trials = 0; trials < 5; trials++) {
            final Path copy = directory.resolve("copy");
            try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw");
                    DiskTrial trial = backup.newTrial()) {
                file.setLength(backup.ram().lengthBytes());
                final long steps = backup.copyTo(file.getChannel(), trial);
                Await.until("the disk is exact", trial::isExact);
                primary.awaitCheckpoints(30);
                final Path sockets = Files.createDirectories(directory.resolve("sockets"));
                final Path socket = trial.serve(sockets).values().iterator().next();
                try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
                    assertArrayEquals(diskAfter(steps), client.read(0, DISK_BYTES, true));
                }
                assertArrayEquals(SyntheticGuest.memoryAfter(steps, PAGES), Files.readAllBytes(copy));
            }
        }
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
    }

    /** The old host's guest went on after the last checkpoint, and the new one's has written since. */
    @Test
    void shouldBringTheDiskOfAHostThatFailedUpToDateByWhatBothKnowToHaveChanged() throws IOException {
        makeHole(replica);
        protect();
        awaitClearedBitmap();
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        final long stepsThen = primary.guest.steps();
        Await.until("the old guest has gone on", () -> primary.guest.steps() > stepsThen + 10 * WRITING_STEPS);
        final PrimaryDisk taken = backup.diskOfGuest();
        assertEquals(0, taken.bitmap().dirtyBlocks());
        synchronized (primary.guest) {
            primary.guest.onStep = step -> {};
            for (int block = 50; block < 53; block++) {
                taken.image().write(data, 0, STEP_BYTES, (long) block * DirtyBitmap.BLOCK_BYTES, false);
            }
        }
        primary.close();
        backup.close();
        assertNotEquals(-1, Files.mismatch(image, replica));

        // What was on the hosts is where their agents in other roles find it.
        backup = new TestBackup(directory.resolve("repaired"), PAGES, endpoint);
        backup.disk = image;
        bequeath("primary", "repaired");
        primary = new TestPrimary(directory.resolve("successor"), PAGES, endpoint);
        primary.disk = replica;
        primary.record.adoptGeneration(2);
        bequeath("backup", "successor");
        backup.start();
        primary.start();
        primary.awaitState(AgentState.PROTECTED);
        final DiskResync resync = primary.session.diskCopies().resync(0);
        assertEquals(3, resync.blocksTotal(), "what the new guest has written");
        assertTrue(resync.copiedBytes() <= 8 * DirtyBitmap.BLOCK_BYTES, "what both hosts' guests have written");
        primary.awaitCheckpoints(5);
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(-1, Files.mismatch(image, replica));
    }

    private void bequeath(final String from, final String to) throws IOException {
        final String bitmap = TestBackup.VM + "@d0.bitmap";
        Files.copy(
                directory.resolve(from).resolve("state").resolve(bitmap),
                directory.resolve(to).resolve("state").resolve(bitmap));
    }

    @Test
    void shouldGoOnWithItsOwnDiskWhenTheGuestIsTakenBackAndBringTheOtherUpToDate() throws IOException {
        makeHole(replica);
        protect();
        backup.breakResuming(3);
        assertTrue(move().isCompletedExceptionally());
        Await.until("the guest is protected again", () -> primary.state() == AgentState.PROTECTED);
        primary.awaitCheckpoints(20);
        primary.freeze();
        backup.passSilence(AgentState.ACTIVE);
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
    }

    /** Without a fence, that is: a primary that was proven stopped stays so. */
    @Test
    void shouldLeaveTheDiskTheCopyThatItIsWhenATakeoverIsRefusedAtItsEnd() throws Exception {
        makeHole(replica);
        protect();
        final DiskIdentity copy = backup.diskIdentity();
        backup.onLoading(() -> backup.clock.pass(primary.session.takeoverLimitNanos()));
        primary.freeze();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertTrue(backup.lastError().contains("gone on unprotected"), backup.lastError());
        assertEquals(copy.replica(), backup.diskIdentity().replica());
        backup.failover().get(60, TimeUnit.SECONDS);
        assertArrayEquals(diskAfter(backup.stepsAtStart()), Files.readAllBytes(replica));
        assertNotEquals(copy.replica(), backup.diskIdentity().replica());
    }

    @Test
    void shouldFindABlockOfTheReplicaThatDiffersWhileTheGuestWrites() throws Exception {
        makeHole(replica);
        protect();
        assertEquals(0, verify().differingBlocks());
        final long offset = 100L * DirtyBitmap.BLOCK_BYTES;
        try (RandomAccessFile file = new RandomAccessFile(replica.toFile(), "rw")) {
            file.seek(offset + 5);
            file.write(before[(int) offset + 5] + 1);
        }
        final DiskVerification.Result result = verify();
        assertEquals(DISK_BYTES / DirtyBitmap.BLOCK_BYTES, result.comparedBlocks());
        assertEquals(1, result.differingBlocks());
        assertEquals(List.of(offset), result.firstDiffering());
    }

    @Test
    void shouldSayThatADiskCannotBeComparedInsteadOfLettingWait() throws Exception {
        makeHole(replica);
        protect();
        synchronized (primary.guest) {
            primary.guest.onStep = step -> {};
        }
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            // Within a block that has data.
            file.setLength(DirtyBitmap.BLOCK_BYTES + 4096);
            final ExecutionException e = assertThrows(ExecutionException.class, this::verify);
            assertTrue(e.getCause().getMessage().contains("it has become shorter"), e.getCause()::getMessage);
            // So that a session can be open at the end.
            file.setLength(DISK_BYTES);
        }
    }

    private DiskVerification.Result verify() throws Exception {
        return primary.session.diskCopies().verify().get(60, TimeUnit.SECONDS).getFirst();
    }

    @Test
    void shouldRefuseADiskOfAnotherLength() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(replica.toFile(), "rw")) {
            file.setLength(DISK_BYTES + 512);
        }
        backup.start();
        primary.start();
        assertEquals(ProtectionLoop.End.REFUSED, primary.awaitEnd());
        assertEquals(
                "disk d0 has 8388608 bytes on the primary, 8389120 on the standby; make its image there exactly as"
                        + " long",
                backup.lastError());
    }
}
