package org.resilire.backup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.control.AgentState;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.wire.Checksum;
import org.resilire.wire.sbe.EpochKind;
import org.resilire.wire.sbe.RefusalReason;
import org.resilire.wire.sbe.SwitchoverStage;

@Timeout(120)
class StandbyLoopTest {

    private static final int PAGES = 8;

    @TempDir
    Path directory;

    private TestBackup backup;
    private ScriptedPrimary primary;

    @BeforeEach
    void make() {
        backup = new TestBackup(directory.resolve("backup"), PAGES);
        primary = new ScriptedPrimary(directory.resolve("primary"), backup.endpoint, PAGES);
    }

    @AfterEach
    void close() {
        primary.close();
        backup.close();
    }

    /** A session with a checkpoint of a guest that made 100 steps. */
    private void openWithCheckpoint() {
        primary.open();
        primary.sendAndAwaitAck(primary.epoch(1, EpochKind.SYNCHRONISATION, 60));
        primary.sendAndAwaitAck(primary.epoch(2, EpochKind.CHECKPOINT, 100));
        backup.awaitState(AgentState.STANDBY_READY);
    }

    private void assertReplicaIsAfter(final long steps) {
        assertArrayEquals(SyntheticGuest.memoryAfter(steps, PAGES), ScriptedPrimary.memoryOf(backup));
    }

    // ---------------------------------------------------------------- who is let in

    /** What does not fit: how it is refused, which words the message must have, and how a greeting gets that way. */
    private record Misfit(RefusalReason reason, String text, Consumer<ScriptedPrimary> spoil) {}

    private static final List<Misfit> MISFITS = List.of(
            new Misfit(RefusalReason.PROTOCOL_VERSION, "version 1", p -> p.protocolVersion = 1),
            new Misfit(RefusalReason.VM_NAME, "'db', not for 'web'", p -> p.vmName = "web"),
            new Misfit(RefusalReason.RAM_SIZE, "RAM", p -> p.ramBytes += GuestMemory.PAGE_BYTES),
            new Misfit(RefusalReason.RAM_SIZE, "RAM", p -> p.ramBytes -= GuestMemory.PAGE_BYTES),
            new Misfit(RefusalReason.RAM_SIZE, "RAM", p -> p.pageBytes = 16384),
            new Misfit(RefusalReason.QEMU_VERSION, "QEMU 8.0.0", p -> p.qemuVersion = "8.0.0"),
            new Misfit(RefusalReason.DEVICE_SET, "differ", p -> p.deviceInventory += "device e1000\n"),
            new Misfit(RefusalReason.DEVICE_SET, "cannot be read", p -> p.deviceInventory = "nonsense"),
            new Misfit(RefusalReason.SUPERSEDED, "generation 0", p -> p.generation = 0),
            new Misfit(RefusalReason.SUPERSEDED, "generation -7", p -> p.generation = -7),
            new Misfit(RefusalReason.BAD_MESSAGE, "cannot be", p -> p.generation = Long.MAX_VALUE),
            new Misfit(RefusalReason.BAD_MESSAGE, "cannot be", p -> p.firstEpoch = 0),
            new Misfit(RefusalReason.BAD_MESSAGE, "cannot be", p -> p.firstEpoch = Long.MIN_VALUE),
            new Misfit(RefusalReason.BAD_MESSAGE, "cannot be", p -> p.firstEpoch = Long.MAX_VALUE),
            new Misfit(RefusalReason.BAD_MESSAGE, "heartbeat", p -> p.heartbeatIntervalMicros = 0),
            // Twice as much is more than a long holds.
            new Misfit(RefusalReason.BAD_MESSAGE, "too seldom", p -> p.heartbeatIntervalMicros = (1L << 62) / 1000 + 1),
            new Misfit(
                    RefusalReason.BAD_MESSAGE,
                    "too seldom",
                    p -> p.heartbeatIntervalMicros = TestBackup.DETECT_TIMEOUT_NANOS / 1999));

    @Test
    void shouldRefuseOtherProtocolVersionVmNameRamSizeQemuDevicesAndGeneration() {
        backup.ram().segment().fill((byte) 3);
        backup.start();
        for (final Misfit misfit : MISFITS) {
            primary.setDefaults();
            primary.sessionId++;
            misfit.spoil().accept(primary);
            primary.greet();
            assertEquals(misfit.reason(), primary.refusal);
            assertTrue(primary.refusalText.contains(misfit.text()), primary.refusalText);
            assertEquals(1, backup.record.generation(), "a primary that is refused changes nothing");
        }
        for (final byte untouched : ScriptedPrimary.memoryOf(backup)) {
            assertEquals(3, untouched);
        }
        primary.setDefaults();
        primary.sessionId++;
        openWithCheckpoint();
    }

    @Test
    void shouldAdoptAHigherGenerationAndRefuseLowerOnesFromThenOn() {
        backup.start();
        primary.generation = 5;
        primary.open();
        assertEquals(
                5,
                ProtectionRecord.open(directory.resolve("backup/state"), TestBackup.VM)
                        .generation());
        backup.passSilence(AgentState.STANDBY_WAITING);
        primary.generation = 4;
        primary.sessionId = 2;
        primary.greet();
        assertEquals(RefusalReason.SUPERSEDED, primary.refusal);
        assertEquals(5, primary.refusedGeneration);
    }

    @Test
    void shouldForgetThatItsHostWasProtectedOnceItServesAPrimary() {
        backup.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        backup.start();
        primary.generation = 2;
        primary.open();
        final ProtectionRecord record = ProtectionRecord.open(directory.resolve("backup/state"), TestBackup.VM);
        assertFalse(record.wasProtected(), "the next primary here would hold its output for a backup that is history");
        assertEquals(2, record.generation());
    }

    @Test
    void shouldEndWithItsTakeoverIfAnotherRoleFollowsAndStillRefuseThePrimaryThatWas() {
        backup.endsActive = true;
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        Await.until("the role ends", backup::hasTakenOver);
        assertTrue(backup.isGuestRunning());
        assertThrows(CompletionException.class, () -> backup.failover().join());
        primary.sessionId++;
        primary.greet();
        assertEquals(RefusalReason.SUPERSEDED, primary.refusal);
        assertEquals(2, primary.refusedGeneration);
    }

    @Test
    void shouldStartASessionWithAnEmptyReplica() {
        backup.ram().segment().fill((byte) 3);
        backup.start();
        primary.open();
        assertArrayEquals(new byte[PAGES * GuestMemory.PAGE_BYTES], ScriptedPrimary.memoryOf(backup));
    }

    @Test
    void shouldNotLetAnotherPrimaryDisturbASession() {
        backup.start();
        openWithCheckpoint();
        final Path strangers = directory.resolve("stranger");
        try (ScriptedPrimary stranger = new ScriptedPrimary(strangers, backup.endpoint, PAGES, "127.0.0.2")) {
            stranger.sessionId = 99;
            stranger.greet();
            assertEquals(RefusalReason.BUSY, stranger.refusal);
            primary.sendAndAwaitAck(primary.epoch(3, EpochKind.CHECKPOINT, 150));
            assertTrue(stranger.acknowledged.isEmpty());
        }
        assertEquals(List.of(1L, 2L, 3L), primary.acknowledged);
    }

    @Test
    void shouldNotLetAnotherGuestsAgentOfTheSameHostEndASession() {
        backup.start();
        openWithCheckpoint();
        try (ScriptedPrimary stranger = new ScriptedPrimary(directory.resolve("stranger"), backup.endpoint, PAGES)) {
            stranger.sessionId = 99;
            stranger.vmName = "web";
            stranger.greet();
            assertEquals(RefusalReason.VM_NAME, stranger.refusal);
            assertTrue(stranger.refusalText.contains("'db', not for 'web'"), stranger.refusalText);
            primary.sendAndAwaitAck(primary.epoch(3, EpochKind.CHECKPOINT, 150));
        }
        assertEquals(List.of(1L, 2L, 3L), primary.acknowledged);
    }

    @Test
    void shouldNotBeDeafenedByAGreetingThatCannotBeAnswered() {
        backup.start();
        for (final String nowhere : List.of(
                "300.1.1.1:5", "::::1:5", "127.0.0.1:0", "nowhere", "", "127.0.0.1:5|term-length=64k", "0.0.0.0:7")) {
            for (final String name : List.of(TestBackup.VM, "web")) {
                primary.sessionId++;
                primary.replyEndpoint = nowhere;
                primary.vmName = name;
                primary.send(primary.hello());
                primary.send(primary.hello());
            }
        }
        primary.setDefaults();
        // Whichever of them was let in is silent, and in the way until that is noticed.
        Await.until(
                "a primary is let in that can be answered",
                () -> {
                    primary.sessionId++;
                    primary.greet();
                    return primary.refusal != RefusalReason.BUSY;
                },
                () -> backup.pass(TestBackup.DETECT_INTERVAL_NANOS));
        openWithCheckpoint();
    }

    @Test
    void shouldRefuseWhileTheStandbyDoesNotAnswer() {
        backup.start();
        backup.standby().failsToAnswer = true;
        primary.greet();
        assertEquals(RefusalReason.STANDBY_FAILED, primary.refusal);
        backup.standby().failsToAnswer = false;
        primary.sessionId = 2;
        primary.open();
    }

    @Test
    void shouldReplaceAStandbyThatEnded() {
        backup.start();
        backup.standby().exited = true;
        Await.until("another standby is there", () -> backup.standbys.size() == 2);
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.standby().isRunning);
    }

    // ---------------------------------------------------------------- epochs

    @Test
    void shouldAcknowledgeOnlyWhatIsInTheReplica() {
        backup.start();
        primary.open();
        for (long epoch = 1; epoch <= 30; epoch++) {
            final long steps = epoch * 10;
            final EpochKind kind = epoch < 4 ? EpochKind.SYNCHRONISATION : EpochKind.CHECKPOINT;
            final List<Message> messages = primary.epoch(epoch, kind, steps);
            messages.subList(0, messages.size() - 1).forEach(primary::send);
            if (epoch % 10 == 5) {
                primary.listenFor(20);
            }
            assertEquals(epoch - 1, primary.acknowledged.size());
            primary.send(messages.getLast());
            final long number = epoch;
            primary.await("the acknowledgement", () -> primary.acknowledged.size() == number);
            assertReplicaIsAfter(steps);
        }
        assertEquals(30, primary.acknowledged.getLast());
    }

    @Test
    void shouldReportWhatDiffersFromThePrimarysMemory() {
        backup.start();
        openWithCheckpoint();
        final byte[] memory = SyntheticGuest.memoryAfter(150, PAGES);
        memory[3 * GuestMemory.PAGE_BYTES + 5]++;
        memory[6 * GuestMemory.PAGE_BYTES]++;
        primary.sendAndAwaitAck(primary.epochMessages(3, EpochKind.CHECKPOINT, 150)
                .pageHashes(hashes(memory))
                .end());
        primary.await("the report", () -> primary.verifyReports == 1);
        assertEquals(2, primary.differingPages);
        primary.sendAndAwaitAck(primary.epochMessages(4, EpochKind.CHECKPOINT, 160)
                .pageHashes(hashes(SyntheticGuest.memoryAfter(160, PAGES)))
                .end());
        primary.await("the report", () -> primary.verifyReports == 2);
        assertEquals(0, primary.differingPages);
    }

    private static byte[] hashes(final byte[] memory) {
        final byte[] hashes = new byte[PAGES * Long.BYTES];
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment segment = arena.allocate(memory.length, 8);
            segment.copyFrom(MemorySegment.ofArray(memory));
            for (int page = 0; page < PAGES; page++) {
                ByteBuffer.wrap(hashes)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(
                                page * Long.BYTES,
                                Checksum.hash(segment, (long) page * GuestMemory.PAGE_BYTES, GuestMemory.PAGE_BYTES));
            }
        }
        return hashes;
    }

    @Test
    void shouldEndASessionThatBreaksTheProtocolAndKeepTheReplica() {
        backup.start();
        openWithCheckpoint();
        primary.send(primary.epoch(4, EpochKind.CHECKPOINT, 150).getFirst());
        primary.await("the backup says why", () -> primary.refusal == RefusalReason.BAD_MESSAGE);
        assertTrue(primary.refusalText.contains("epoch 3 was expected"), primary.refusalText);
        backup.awaitState(AgentState.STANDBY_WAITING);
        assertReplicaIsAfter(100);
        assertFalse(backup.isGuestRunning());
        primary.sessionId = 2;
        openWithCheckpoint();
    }

    // ---------------------------------------------------------------- takeover

    @Test
    void shouldTakeOverWhenThePrimaryFallsSilent() {
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(100, backup.stepsAtStart());
        assertTrue(backup.standby().isReleased && backup.standby().isAnnounced);
        assertEquals(1, backup.networkOpened.get());
        assertEquals(
                2,
                ProtectionRecord.open(directory.resolve("backup/state"), TestBackup.VM)
                        .generation());
    }

    @Test
    void shouldNotTakeOverFromAPrimaryThatIsHeard() {
        backup.start();
        openWithCheckpoint();
        for (int i = 0; i < 50; i++) {
            final int before = primary.heartbeats;
            primary.sendOnHeartbeatStream(primary.heartbeat());
            primary.sendOnHeartbeatStream(primary.heartbeat());
            backup.clock.pass(TestBackup.DETECT_INTERVAL_NANOS);
            primary.await("the backup's own sign of life", () -> primary.heartbeats > before);
        }
        assertEquals(AgentState.STANDBY_READY, backup.state());
    }

    @Test
    void shouldNotTakeOverWithoutProof() throws IOException {
        final Path asked = directory.resolve("asked");
        backup.fence = "echo x >>" + asked + "; echo the switch is dead; exit 1";
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertEquals("x\n", Files.readString(asked));
        assertFalse(backup.isGuestRunning());
        assertEquals(0, backup.networkOpened.get());
        assertEquals(1, backup.record.generation());
        assertTrue(backup.lastError().contains("the switch is dead"), backup.lastError());
        Await.until("another standby is there", () -> backup.standbys.size() == 2);
        assertTrue(backup.standbys.getFirst().isClosed);
        primary.sessionId = 2;
        openWithCheckpoint();
    }

    @Test
    void shouldKeepTheReplicaForTheOperatorWhenTheFenceFails() throws Exception {
        final Path switchedOff = directory.resolve("off");
        backup.fence = "test -e " + switchedOff;
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertFailoverFails("the primary may still run");
        Files.createFile(switchedOff);
        final String said = backup.failover().get(30, TimeUnit.SECONDS);
        assertTrue(said.contains("generation 2, from epoch 2; its primary was last heard"), said);
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldNotTakeOverByItselfAfterAStallInWhichThePrimaryMayHaveGoneOn() throws Exception {
        backup.fence = "true";
        backup.start();
        openWithCheckpoint();
        backup.freeze();
        backup.clock.pass(TimeUnit.MICROSECONDS.toNanos(primary.takeoverLimitMicros) + 1);
        // Said before the stall, heard only after it: no proof that the primary still waited for this side.
        primary.sendOnHeartbeatStream(primary.heartbeat());
        backup.thaw();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertFalse(backup.isGuestRunning());
        assertTrue(backup.lastError().contains("gone on unprotected"), backup.lastError());
        assertTrue(backup.failover().get(30, TimeUnit.SECONDS).contains("last heard"));
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldNotTakeOverByItselfIfItsFenceStoppedThePrimaryTooLate() throws Exception {
        final Path asked = directory.resolve("asked");
        final Path go = directory.resolve("go");
        backup.fence = "touch " + asked + "; while ! test -e " + go + "; do sleep 0.01; done";
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.TAKING_OVER);
        Await.until("the fence runs", () -> Files.exists(asked));
        // This host stands still while its fence is on its way: the primary it stops then may have let output out
        // before.
        backup.clock.pass(TimeUnit.MICROSECONDS.toNanos(primary.takeoverLimitMicros));
        Files.createFile(go);
        backup.awaitState(AgentState.AWAITING_OPERATOR);
        assertFalse(backup.isGuestRunning());
        assertTrue(backup.lastError().contains("gone on unprotected"), backup.lastError());
        assertTrue(backup.failover().get(30, TimeUnit.SECONDS).contains("last heard"));
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldTakeOverAfterAStallIfThePrimaryStillHearsIt() {
        backup.fence = "true";
        backup.start();
        openWithCheckpoint();
        backup.freeze();
        backup.clock.pass(TimeUnit.MICROSECONDS.toNanos(primary.takeoverLimitMicros) + 1);
        final long stallEndNanos = backup.clock.nanoTime();
        backup.thaw();
        // Not one that was on its way before.
        primary.await("a sign of life after the stall", () -> primary.newestBackupNanos - stallEndNanos >= 0);
        primary.sendOnHeartbeatStream(primary.heartbeat());
        primary.await("its echo is heard", () -> backup.lastHeardNanos() - stallEndNanos >= 0);
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldNotFenceAPrimaryThatGreetsAgain() throws Exception {
        final Path asked = directory.resolve("asked");
        backup.fence = "echo x >>" + asked;
        backup.start();
        openWithCheckpoint();
        primary.sessionId = 2;
        primary.firstEpoch = 3;
        primary.open();
        primary.sendAndAwaitAck(primary.epoch(3, EpochKind.SYNCHRONISATION, 160));
        primary.sendAndAwaitAck(primary.epoch(4, EpochKind.CHECKPOINT, 170));
        backup.awaitState(AgentState.STANDBY_READY);
        assertReplicaIsAfter(170);
        assertFalse(Files.exists(asked));
    }

    @Test
    void shouldTakeOverWithProof() throws IOException {
        final Path asked = directory.resolve("asked");
        backup.fence = "echo x >>" + asked;
        backup.start();
        openWithCheckpoint();
        assertTrue(
                primary.takeoverLimitMicros
                        > TimeUnit.NANOSECONDS.toMicros(
                                TestBackup.DETECT_TIMEOUT_NANOS + TestBackup.FENCE_TIMEOUT_NANOS),
                "a primary must wait for detection and fence");
        backup.passSilence(AgentState.ACTIVE);
        assertEquals("x\n", Files.readString(asked));
        assertTrue(backup.isGuestRunning());
    }

    @Test
    void shouldNotTakeOverFromHalfASynchronisation() {
        backup.start();
        primary.open();
        primary.sendAndAwaitAck(primary.epoch(1, EpochKind.SYNCHRONISATION, 60));
        backup.passSilence(AgentState.STANDBY_WAITING);
        assertFalse(backup.isGuestRunning());
        assertFailoverFails("no checkpoint to start from");
        primary.sessionId = 2;
        openWithCheckpoint();
    }

    @Test
    void shouldNotTakeOverFromTheSynchronisationThatReplacesACheckpoint() {
        backup.start();
        openWithCheckpoint();
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.await("the notice arrives", () -> backup.state() == AgentState.STANDBY_WAITING);
        primary.sessionId = 2;
        primary.firstEpoch = 3;
        primary.open();
        primary.sendAndAwaitAck(primary.epoch(3, EpochKind.SYNCHRONISATION, 160));
        backup.passSilence(AgentState.STANDBY_WAITING);
        assertFalse(backup.isGuestRunning());
    }

    @Test
    void shouldTakeOverFromAnEpochThatArrivedWhileItStoodStill() {
        backup.start();
        openWithCheckpoint();
        backup.freeze();
        primary.epoch(3, EpochKind.CHECKPOINT, 200).forEach(primary::send);
        primary.listenFor(50);
        backup.thaw();
        primary.await("the epoch is acknowledged", () -> primary.acknowledged.contains(3L));
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(200, backup.stepsAtStart());
    }

    @Test
    void shouldDropAPartialEpoch() {
        backup.start();
        openWithCheckpoint();
        final List<Message> messages = primary.epoch(3, EpochKind.CHECKPOINT, 200);
        messages.subList(0, messages.size() - 1).forEach(primary::send);
        primary.listenFor(50);
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldTakeOverWithoutAFenceWhenThePrimarySawItsGuestEnd() {
        backup.fence = "exit 1";
        backup.start();
        openWithCheckpoint();
        primary.sendOnHeartbeatStream(primary.guestLost());
        primary.await("the notice arrives", () -> backup.state() == AgentState.ACTIVE);
        assertEquals(100, backup.stepsAtStart());
        primary.await("the notice is answered", () -> primary.noticesReceived > 0);
    }

    @Test
    void shouldNotBelieveANoticeOfAnotherSession() {
        backup.start();
        openWithCheckpoint();
        primary.sessionId = 77;
        primary.sendOnHeartbeatStream(primary.guestLost());
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.sessionId = 1;
        primary.sendAndAwaitAck(primary.epoch(3, EpochKind.CHECKPOINT, 150));
        primary.listenFor(50);
        assertEquals(AgentState.STANDBY_READY, backup.state());
        assertEquals(0, primary.noticesReceived);
    }

    @Test
    void shouldNotStartAGuestThatGoesOnUnprotected() {
        backup.start();
        openWithCheckpoint();
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.await("the notice arrives", () -> backup.state() == AgentState.STANDBY_WAITING);
        primary.await("the notice is answered", () -> primary.noticesReceived > 0);
        assertFailoverFails("no checkpoint to start from");
    }

    /** Its primary would let output go that the guest here knows nothing of. */
    @Test
    void shouldNotConfirmTheEndOfProtectionOnceItRunsTheGuest() {
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.listenFor(50);
        assertEquals(0, primary.noticesReceived);
    }

    @Test
    void shouldNotConfirmTheEndOfProtectionWhileItTakesOver() {
        final Path go = directory.resolve("go");
        backup.fence = "while [ ! -e " + go + " ]; do sleep 0.01; done";
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.TAKING_OVER);
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.listenFor(50);
        assertEquals(0, primary.noticesReceived);
        assertDoesNotThrow(() -> Files.createFile(go));
        backup.awaitState(AgentState.ACTIVE);
    }

    @Test
    void shouldForgetACopyThatWaitsForAnOperatorWhenThePrimarySaysThatItIsStale() {
        backup.automatic = false;
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        primary.sendOnHeartbeatStream(primary.endProtection());
        primary.await("the notice is answered", () -> primary.noticesReceived > 0);
        backup.awaitState(AgentState.STANDBY_WAITING);
        assertFailoverFails("no checkpoint to start from");
    }

    @Test
    void shouldNotTakeOverByItselfIfAPersonIsToDecide() throws Exception {
        backup.automatic = false;
        backup.start();
        openWithCheckpoint();
        assertEquals(0, primary.takeoverLimitMicros, "nobody need wait for what never happens by itself");
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertTrue(backup.lastError().contains("resilire failover --vm db"), backup.lastError());
        assertFalse(backup.isGuestRunning());
        assertTrue(backup.failover().get(30, TimeUnit.SECONDS).contains("generation 2"));
        assertEquals(100, backup.stepsAtStart());
    }

    /** The replica is that of the checkpoint; only the word of it comes behind that of the silence. */
    @Test
    void shouldLetAPersonStartTheGuestFromAFirstCheckpointThatWasCompleteWhenItsSessionEnded() throws Exception {
        backup.automatic = false;
        backup.start();
        openWithCheckpoint();
        backup.events.add(new BackupEvent.ProtectionEnded());
        backup.awaitState(AgentState.STANDBY_WAITING);
        backup.awaitListening();
        // It seals nothing before it works again.
        backup.freeze();
        backup.events.add(new BackupEvent.PrimarySilent(TestBackup.DETECT_TIMEOUT_NANOS, 0, 0));
        backup.events.add(new BackupEvent.Ready(2));
        backup.thaw();
        backup.awaitState(AgentState.AWAITING_OPERATOR);
        assertTrue(backup.failover().get(30, TimeUnit.SECONDS).contains("generation 2"));
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldTakeOverOnRequestWithTheFence() throws Exception {
        final Path asked = directory.resolve("asked");
        backup.fence = "echo x >>" + asked;
        backup.start();
        openWithCheckpoint();
        assertTrue(backup.failover().get(30, TimeUnit.SECONDS).contains("generation 2"));
        assertEquals("x\n", Files.readString(asked));
        assertFailoverFails("runs here already");
        assertEquals(1, backup.standbys.size());
    }

    private void assertFailoverFails(final String why) {
        final var failure = assertThrows(
                CompletionException.class,
                () -> backup.failover().orTimeout(30, TimeUnit.SECONDS).join());
        assertTrue(failure.getCause().getMessage().contains(why), failure.getCause()::getMessage);
    }

    @Test
    void shouldRefuseAnOldPrimary() {
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        for (int i = 0; i < 3; i++) {
            primary.sessionId = 2L + i;
            primary.greet();
            assertEquals(RefusalReason.SUPERSEDED, primary.refusal);
            assertEquals(2, primary.refusedGeneration);
        }
        assertReplicaIsAfter(100);
    }

    // ---------------------------------------------------------------- what comes late or goes wrong

    @Test
    void shouldNotTakeOverTwice() throws Exception {
        // Silence is noticed just while an operator's failover is under way.
        backup.onNetworkOpened = () -> {
            backup.events.add(new BackupEvent.PrimarySilent(1, 0, Long.MAX_VALUE));
            backup.events.add(new BackupEvent.GuestLost());
            backup.events.add(new BackupEvent.ProtocolBroken("late"));
            backup.events.add(new BackupEvent.Ready(2));
        };
        backup.start();
        openWithCheckpoint();
        backup.failover().get(30, TimeUnit.SECONDS);
        Await.until("the events are dealt with", backup.events::isEmpty);
        assertFailoverFails("runs here already");
        assertEquals(AgentState.ACTIVE, backup.state());
        assertEquals(1, backup.standbys.size());
        assertFalse(backup.standby().isClosed);
        assertEquals(1, backup.networkOpened.get());
        primary.sessionId = 2;
        primary.greet();
        assertEquals(RefusalReason.SUPERSEDED, primary.refusal);
        assertReplicaIsAfter(100);
    }

    @Test
    void shouldNotBeReadyAgainByALateEventOfASessionThatEnded() {
        backup.start();
        openWithCheckpoint();
        backup.freeze();
        backup.events.add(new BackupEvent.ProtectionEnded());
        backup.events.add(new BackupEvent.Ready(2));
        backup.thaw();
        backup.awaitState(AgentState.STANDBY_WAITING);
        assertFailoverFails("no checkpoint to start from");
        assertEquals(AgentState.STANDBY_WAITING, backup.state());
    }

    @Test
    void shouldCountAGuestThatCouldNotBeAnnouncedAsRunning() {
        backup.start();
        backup.standby().failsToAnnounce = true;
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(1, backup.standbys.size());
        assertFalse(backup.standby().isClosed);
    }

    @Test
    void shouldSurviveATakeoverThatFails() {
        backup.start();
        backup.breakStandbys(3);
        openWithCheckpoint();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertFalse(backup.isGuestRunning());
        assertEquals(1, backup.record.generation());
        primary.sessionId = 2;
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldTryAnotherStandbyWhenOneDoesNotTakeItsStateAndFenceOnce() throws IOException {
        final Path asked = directory.resolve("asked");
        backup.fence = "echo x >>" + asked;
        backup.start();
        backup.breakStandbys(2);
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(3, backup.standbys.size());
        assertEquals(100, backup.stepsAtStart());
        assertEquals("x\n", Files.readString(asked));
    }

    @Test
    void shouldLeaveNothingOverTheReplicaWhenAStandbyDoesNotGoOn() {
        backup.start();
        backup.standby().refusesToResume = true;
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.standbys.getFirst().isClosed);
        assertTrue(backup.standby().isRunning);
        assertEquals(2, backup.standbys.size());
    }

    @Test
    void shouldNotStartAgainWhatAGuestThatRanForAMomentMayHaveChanged() {
        backup.start();
        backup.standby().diesResuming = true;
        openWithCheckpoint();
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertTrue(backup.lastError().contains("may have run for a moment"), backup.lastError());
        assertFalse(backup.lastError().contains("resilire failover"), backup.lastError());
        assertTrue(backup.standbys.getFirst().isClosed);
        assertFalse(backup.isGuestRunning());
        assertFailoverFails("no checkpoint to start from");
    }

    @Test
    void shouldNotStartAGuestWhoseGenerationCannotBeWritten() throws IOException {
        backup.start();
        openWithCheckpoint();
        Files.createDirectories(directory.resolve("backup/state/db.record.new/in-the-way"));
        backup.passSilence(AgentState.AWAITING_OPERATOR);
        assertFalse(backup.isGuestRunning());
        assertTrue(backup.lastError().contains("cannot write the record"), backup.lastError());
    }

    @Test
    void shouldEndWhenTheGuestItTookOverEnds() {
        backup.start();
        openWithCheckpoint();
        backup.passSilence(AgentState.ACTIVE);
        backup.standby().exited = true;
        Await.until("the backup ends", backup::hasGuestEnded);
    }

    // ---------------------------------------------------------------- planned moves

    private void answerTo(final byte[] message, final SwitchoverStage stage) {
        primary.switchoverAnswers.clear();
        primary.sendOnHeartbeatStream(message);
        primary.await("the backup answers " + stage, () -> primary.switchoverAnswers.contains(stage));
    }

    @Test
    void shouldRunAGuestThatWasGivenAwayOnceAndSayItAgainToWhoAsksAgain() {
        backup.start();
        openWithCheckpoint();
        answerTo(primary.prepareSwitchover(2), SwitchoverStage.LOADED);
        assertFalse(backup.isGuestRunning());
        answerTo(primary.prepareSwitchover(2), SwitchoverStage.LOADED);
        answerTo(primary.commitSwitchover(2), SwitchoverStage.RUNNING);
        assertTrue(backup.isGuestRunning());
        assertEquals(100, backup.stepsAtStart());
        assertEquals(1, backup.networkOpened.get());
        answerTo(primary.commitSwitchover(2), SwitchoverStage.RUNNING);
        assertEquals(1, backup.networkOpened.get());
        assertEquals(2, backup.record.generation());
    }

    @Test
    void shouldNotLoadAnEpochThatIsNotTheLastOneNorRunWhatWasNotLoadedOrBelongsToAnotherGeneration() {
        backup.start();
        openWithCheckpoint();
        primary.sendOnHeartbeatStream(primary.prepareSwitchover(1));
        primary.sendOnHeartbeatStream(primary.prepareSwitchover(3));
        primary.sendOnHeartbeatStream(primary.commitSwitchover(2));
        primary.listenFor(50);
        assertEquals(List.of(), primary.switchoverAnswers);
        answerTo(primary.prepareSwitchover(2), SwitchoverStage.LOADED);
        for (final long generation : new long[] {Long.MIN_VALUE, 0, 1, 3, Long.MAX_VALUE}) {
            primary.sendOnHeartbeatStream(primary.commitSwitchover(generation));
        }
        primary.listenFor(50);
        assertFalse(backup.isGuestRunning());
        assertEquals(1, backup.record.generation());
    }

    @Test
    void shouldTakeOverWithTheStandbyThatWasLoadedWhenThePrimaryFallsSilentBeforeItGivesTheGuestAway() {
        backup.start();
        openWithCheckpoint();
        answerTo(primary.prepareSwitchover(2), SwitchoverStage.LOADED);
        backup.passSilence(AgentState.ACTIVE);
        assertEquals(1, backup.standbys.size());
        assertEquals(100, backup.stepsAtStart());
    }

    @Test
    void shouldTakeNoEpochWhileTheGuestIsBeingMovedAndForgetTheMoveWhenThePrimaryGreetsAgain() {
        backup.start();
        openWithCheckpoint();
        answerTo(primary.prepareSwitchover(2), SwitchoverStage.LOADED);
        primary.epoch(3, EpochKind.CHECKPOINT, 130).forEach(primary::send);
        primary.listenFor(50);
        assertReplicaIsAfter(100);
        final byte[] late = primary.commitSwitchover(2);
        primary.sessionId++;
        openWithCheckpoint();
        primary.sendOnHeartbeatStream(late);
        primary.listenFor(50);
        assertFalse(backup.isGuestRunning());
        assertEquals(1, backup.record.generation());
    }

    // ---------------------------------------------------------------- copies

    private FileChannel newCopy() throws IOException {
        final RandomAccessFile file =
                new RandomAccessFile(directory.resolve("copy").toFile(), "rw");
        file.setLength((long) PAGES * GuestMemory.PAGE_BYTES);
        return file.getChannel();
    }

    @Test
    void shouldCopyMemoryAndDeviceStateOfOneEpochAndGoOnWithTheNext() throws IOException {
        backup.start();
        openWithCheckpoint();
        try (FileChannel copy = newCopy()) {
            final SnapshotRequest.Done done =
                    backup.copyTo(copy).orTimeout(30, TimeUnit.SECONDS).join();
            assertEquals(2, done.epoch());
            final MemorySegment state = MemorySegment.ofArray(done.deviceState().array());
            assertEquals(100, SyntheticGuest.stepsOf(state, (int) state.byteSize()));
            assertArrayEquals(SyntheticGuest.memoryAfter(100, PAGES), Files.readAllBytes(directory.resolve("copy")));
        }
        primary.sendAndAwaitAck(primary.epoch(3, EpochKind.CHECKPOINT, 130));
        assertReplicaIsAfter(130);
    }

    @Test
    void shouldCopyNothingThatIsNoCheckpointAndLetNobodyWaitForACopyThatWillNotCome() throws IOException {
        backup.start();
        primary.open();
        primary.sendAndAwaitAck(primary.epoch(1, EpochKind.SYNCHRONISATION, 60));
        try (FileChannel copy = newCopy()) {
            final CompletionException e = assertThrows(
                    CompletionException.class,
                    () -> backup.copyTo(copy).orTimeout(30, TimeUnit.SECONDS).join());
            assertTrue(e.getCause().getMessage().contains("STANDBY_READY"), e::toString);
        }
    }
}
