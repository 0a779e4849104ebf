package org.resilire.backup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.wire.sbe.EpochKind;

/** The link on the test's own thread, one duty cycle at a time, with epochs that are applied over several of them. */
@Timeout(60)
class BackupLinkTest {

    private static final int PAGES = 80;
    private static final long LOOK_NANOS = 1_000_000;

    @TempDir
    Path directory;

    private TestBackup backup;
    private BackupLink link;
    private EpochCommit commit;
    private ScriptedPrimary primary;

    @BeforeEach
    void open() {
        backup = new TestBackup(directory.resolve("backup"), PAGES);
        link = backup.linkAlone();
        commit = link.replica().commit();
        primary = new ScriptedPrimary(directory.resolve("primary"), backup.endpoint, PAGES);
        primary.meanwhile = () -> {
            link.doWork();
            if (backup.events.poll() instanceof BackupEvent.Greeted greeted) {
                link.accept(greeted.hello(), 1);
            }
        };
        primary.open();
        backup.clock.passAtEveryLook(LOOK_NANOS);
    }

    @AfterEach
    void close() {
        primary.close();
        backup.closeLink();
    }

    /** Sends an epoch up to where the link has begun to apply it. */
    private void sendUntilApplying(final List<Message> epoch) {
        epoch.forEach(primary::send);
        primary.await("the epoch is being applied", commit::inProgress);
        assertFalse(commit.isRestorable());
    }

    private int cyclesUntilSealed() {
        int cycles = 0;
        while (!link.isSealed()) {
            assertTrue(++cycles < 1_000, "never sealed");
            link.doWork();
        }
        return cycles;
    }

    @Test
    void shouldFinishAnEpochThatIsBeingAppliedBeforeTheReplicaIsAtRest() {
        sendUntilApplying(primary.epoch(1, EpochKind.CHECKPOINT, 500));
        link.seal();
        assertTrue(cyclesUntilSealed() > 2, "applied in one go: this test shows nothing");
        assertFalse(commit.inProgress());
        assertTrue(commit.isRestorable());
        assertEquals(1, commit.committedEpoch());
        assertArrayEquals(SyntheticGuest.memoryAfter(500, PAGES), ScriptedPrimary.memoryOf(backup));
    }

    @Test
    void shouldNotAcknowledgeWhatIsOnlyPartlyApplied() {
        sendUntilApplying(primary.epoch(1, EpochKind.CHECKPOINT, 500));
        while (commit.inProgress()) {
            assertEquals(List.of(), primary.acknowledged);
            primary.work();
        }
        primary.await("the acknowledgement", () -> !primary.acknowledged.isEmpty());
    }

    @Test
    void shouldTakeNothingMoreOnceItIsSealed() {
        primary.sendAndAwaitAck(primary.epoch(1, EpochKind.CHECKPOINT, 100));
        link.seal();
        cyclesUntilSealed();
        primary.epoch(2, EpochKind.CHECKPOINT, 200).forEach(primary::send);
        primary.listenFor(30);
        assertTrue(link.isSealed());
        assertEquals(1, commit.committedEpoch());
        assertArrayEquals(SyntheticGuest.memoryAfter(100, PAGES), ScriptedPrimary.memoryOf(backup));
        assertEquals(List.of(1L), primary.acknowledged);
    }

    @Test
    void shouldNotLetAComparisonDelayATakeover() {
        primary.epochMessages(1, EpochKind.CHECKPOINT, 100)
                .pageHashes(new byte[PAGES * Long.BYTES])
                .end()
                .forEach(primary::send);
        primary.await(
                "the comparison begins", () -> link.replica().verification().inProgress());
        link.seal();
        assertEquals(1, cyclesUntilSealed());
        assertTrue(commit.isRestorable());
        assertFalse(link.replica().verification().inProgress());
    }

    /** As the JVM tells of a replica whose file could not grow. */
    @Test
    void shouldNeverCallAReplicaAtRestUnderWhichMemoryFailed() {
        sendUntilApplying(primary.epoch(1, EpochKind.CHECKPOINT, 500));
        backup.clock.failAtNextLook(new InternalError("a fault occurred"));
        assertEquals(0, link.doWork());
        assertTrue(link.isBroken());
        link.seal();
        for (int i = 0; i < 1_000; i++) {
            assertEquals(0, link.doWork());
        }
        assertFalse(link.isSealed());
        assertTrue(commit.inProgress());
    }
}
