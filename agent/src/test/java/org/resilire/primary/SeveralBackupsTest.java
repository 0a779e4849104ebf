package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.net.GateMode;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;

/** Whom a primary asks, and when, if a backup may be found in several places; and what it does when nobody wants its guest. */
@Timeout(120)
class SeveralBackupsTest {

    private static final int PAGES = 24;

    /** A fraction of the time that a candidate has for its answer. */
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    @TempDir
    Path directory;

    private final Endpoint first = TestTransport.freeEndpoint();
    private final Endpoint second = TestTransport.freeEndpoint();
    private TestBackup backupAtFirst;
    private TestBackup backupAtSecond;
    private TestPrimary primary;

    @AfterEach
    void close() {
        CloseHelper.closeAll(primary, backupAtFirst, backupAtSecond);
    }

    private TestBackup backup(final String name, final int pages, final Endpoint endpoint) {
        return new TestBackup(directory.resolve(name), pages, endpoint).start();
    }

    private void passUntil(final AgentState state) {
        Await.until("the primary is " + state, () -> primary.state() == state, () -> primary.pass(STEP_NANOS));
    }

    @Test
    void shouldAskTheNextBackupWhenTheFirstDoesNotAnswer() {
        backupAtSecond = backup("second", PAGES, second);
        primary = new TestPrimary(directory.resolve("primary"), PAGES, first, second).start();
        passUntil(AgentState.PROTECTED);
        assertEquals(second.toString(), primary.text(AgentText.PEER));
    }

    @Test
    void shouldAskTheNextBackupWhenTheFirstRefuses() {
        backupAtFirst = backup("first", PAGES + 1, first);
        primary = new TestPrimary(directory.resolve("primary"), PAGES, first, second).start();
        Await.until(
                "the first refuses", () -> primary.text(AgentText.LAST_ERROR).contains("RAM"));
        // Only now: were the first slow to answer, it would lose its turn to this one.
        backupAtSecond = backup("second", PAGES, second);
        passUntil(AgentState.PROTECTED);
        assertEquals(second.toString(), primary.text(AgentText.PEER));
    }

    @Test
    void shouldAskNoOtherBackupWhileTheLostOneMayTakeOver() {
        backupAtFirst = backup("first", PAGES, first);
        primary = new TestPrimary(directory.resolve("primary"), PAGES, first, second).start();
        primary.awaitState(AgentState.PROTECTED);
        backupAtSecond = backup("second", PAGES, second);
        final long limitNanos = primary.record.takeoverLimitNanos();
        backupAtFirst.freeze();
        // The limit runs from when the loss is noticed, which this thread learns only later: time may have passed by
        // then.
        final long notLostNanos = primary.clock.nanoTime();
        primary.passSilence();
        primary.awaitState(AgentState.BACKUP_LOST);
        int looks = 0;
        while (primary.clock.nanoTime() - notLostNanos < limitNanos - TestBackup.DETECT_INTERVAL_NANOS) {
            primary.pass(TestBackup.DETECT_INTERVAL_NANOS / 2);
            assertEquals(first.toString(), primary.text(AgentText.PEER));
            assertEquals(GateMode.HOLD, primary.output.mode());
            looks++;
        }
        assertTrue(looks > 0, "nothing was looked at");
        passUntil(AgentState.PROTECTED);
        assertEquals(second.toString(), primary.text(AgentText.PEER));
        backupAtFirst.thaw();
    }

    @Test
    void shouldAskNobodyWhileOneOfSeveralBackupsMayTakeOverAndNobodyKnowsWhich() {
        backupAtSecond = backup("second", PAGES, second);
        primary = new TestPrimary(directory.resolve("primary"), PAGES, second, first);
        primary.record.protectedWithin(TimeUnit.SECONDS.toNanos(100));
        primary.start();
        primary.awaitState(AgentState.BACKUP_LOST);
        for (int i = 0; i < 9; i++) {
            primary.pass(TimeUnit.SECONDS.toNanos(10));
            assertEquals(GateMode.HOLD, primary.output.mode());
            assertEquals(AgentState.STANDBY_WAITING, backupAtSecond.state());
        }
        passUntil(AgentState.PROTECTED);
    }

    @Test
    void shouldGoOnAskingWhenRefusedIfItCarriesTheGuest() {
        backupAtFirst = backup("first", PAGES + 1, first);
        primary = new TestPrimary(directory.resolve("primary"), PAGES, first);
        primary.endsWhenRefused = false;
        primary.start();
        Await.until(
                "the backup refuses",
                () -> !primary.text(AgentText.LAST_ERROR).isEmpty(),
                () -> primary.pass(STEP_NANOS));
        for (int i = 0; i < 20; i++) {
            primary.pass(TimeUnit.SECONDS.toNanos(1));
        }
        assertFalse(primary.hasEnded());
        assertEquals(GateMode.PASS, primary.output.mode());
    }
}
