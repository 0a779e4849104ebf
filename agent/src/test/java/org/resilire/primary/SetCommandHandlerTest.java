package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.control.ControlException;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.PolicySettings.Kind;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;
import tools.jackson.databind.json.JsonMapper;

/** What changes while a guest is protected: a primary and a backup over real Aeron, without QEMU. */
@Timeout(120)
class SetCommandHandlerTest {

    private static final int PAGES = 24;

    @TempDir
    Path directory;

    private final Endpoint endpoint = TestTransport.freeEndpoint();
    private TestBackup backup;
    private TestPrimary primary;

    @BeforeEach
    void protect() {
        backup = new TestBackup(directory.resolve("backup"), PAGES, endpoint).start();
        primary = new TestPrimary(directory.resolve("primary"), PAGES, endpoint).start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
    }

    @AfterEach
    void close() {
        primary.close();
        backup.close();
    }

    private String set(final String fields) throws InterruptedException {
        return set(false, fields);
    }

    private String set(final boolean replaysInput, final String fields) throws InterruptedException {
        return new SetCommandHandler(
                        primary.pace,
                        primary.modeSwitch,
                        primary.protectionSwitch,
                        new ProtectionWait(primary.protectionSwitch, primary.counters),
                        replaysInput)
                .handle(JsonMapper.shared().readTree("{\"command\":\"set\"" + fields + "}"), line -> {})
                .get("result")
                .stringValue();
    }

    /** From here on checkpoints are made as it was set, and none is under way that was due before. */
    private String setPace(final String fields) throws InterruptedException {
        final String before = primary.text(AgentText.POLICY);
        final String result = set(fields);
        Await.until(
                "the checkpoint thread has seen it",
                () -> !primary.text(AgentText.POLICY).equals(before));
        return result;
    }

    @Test
    void shouldChangeThePeriodWithoutANewSession() throws InterruptedException {
        final long sessions = backup.synchronisations();
        assertEquals(
                "checkpoints from the next epoch on: every 3600000.0 ms", setPace(",\"periodNanos\":3600000000000"));
        final int checkpoints = primary.guest.savedStates();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        assertEquals(checkpoints, primary.guest.savedStates());
        set(",\"periodNanos\":2000000");
        primary.awaitCheckpoints(5);
        assertEquals(sessions, backup.synchronisations());
        assertEquals(AgentState.PROTECTED, primary.state());
    }

    @Test
    void shouldMakeACheckpointForEveryOutputAndNoOther() throws InterruptedException {
        setPace(",\"policy\":\"output\",\"maxPeriodNanos\":86400000000000");
        for (int i = 0; i < 10; i++) {
            final int checkpoints = primary.guest.savedStates();
            primary.outputSignal.onFirstOutputHeld(primary.output.currentEpoch());
            Await.until("a checkpoint for it", () -> primary.guest.savedStates() > checkpoints);
            Await.until(
                    "its acknowledgement",
                    () -> primary.session.acknowledgedEpoch() == primary.output.currentEpoch() - 1);
            assertEquals(checkpoints + 1, primary.guest.savedStates());
        }
    }

    @Test
    void shouldKeepWhatIsNotSaid() throws InterruptedException {
        set(",\"policy\":\"ADAPTIVE\",\"targetOverhead\":0.25,\"minPeriodNanos\":2000000");
        assertEquals(
                new PolicySettings(Kind.ADAPTIVE, 2_000_000, 2_000_000, 200_000_000, 0, 0.25), primary.pace.settings());
        set(",\"maxPeriodNanos\":50000000");
        assertEquals(
                new PolicySettings(Kind.ADAPTIVE, 2_000_000, 2_000_000, 50_000_000, 0, 0.25), primary.pace.settings());
        set(",\"targetDelayNanos\":7000000");
        assertEquals(
                new PolicySettings(Kind.ADAPTIVE, 2_000_000, 2_000_000, 50_000_000, 7_000_000, 0),
                primary.pace.settings());
        set(",\"policy\":\"periodic\"");
        assertEquals(Kind.PERIODIC, primary.pace.settings().kind());
    }

    @Test
    void shouldAdaptToADelayIfNoTargetIsSaid() throws InterruptedException {
        assertTrue(set(",\"policy\":\"adaptive\"").contains("a mean delay of 10.0 ms"));
        primary.awaitCheckpoints(5);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ",\"policy\":\"output\"",
                ",\"policy\":\"adaptive\"",
                ",\"policy\":\"adaptive\",\"targetDelayNanos\":5000000",
                ",\"mode\":\"remus\"",
                ",\"mode\":\"fgbi\",\"periodNanos\":5000000"
            })
    void shouldChangeNothingThatInputReplayCannotFollow(final String fields) throws InterruptedException {
        final PolicySettings before = primary.pace.settings();
        final ControlException refused = assertThrows(ControlException.class, () -> set(true, fields));
        assertTrue(refused.getMessage().contains("--mode llm"), refused::getMessage);
        assertEquals(before, primary.pace.settings());
        assertFalse(primary.modeSwitch.isChangeWanted());
        set(true, ",\"policy\":\"adaptive\",\"targetOverhead\":0.25");
    }

    @Test
    void shouldGoOnInAnotherModeOnceTheMemoryIsCopiedAnew() throws InterruptedException, TimeoutException {
        final long sessions = backup.synchronisations();
        final String[] changes = {
            ",\"mode\":\"remus\"",
            ",\"mode\":\"fgbi\"",
            ",\"blockBytes\":256",
            ",\"identify\":\"hash\"",
            ",\"identify\":\"shadow\",\"codec\":\"delta+pack+lz4\",\"sharing\":false"
        };
        final String[] descriptions = {
            "remus: whole pages, codec raw, sharing off",
            "fgbi: blocks of 64 B that differ from a shadow, codec auto, sharing on",
            "fgbi: blocks of 256 B that differ from a shadow, codec auto, sharing on",
            "fgbi: blocks of 64 B whose hash changed, codec auto, sharing off",
            "fgbi: blocks of 64 B that differ from a shadow, codec delta+pack+lz4, sharing off"
        };
        for (int i = 0; i < changes.length; i++) {
            assertEquals(
                    "from the next session on: " + descriptions[i] + "; the guest is protected again", set(changes[i]));
            assertEquals(descriptions[i], primary.counters.text(AgentText.MODE));
            assertEquals(AgentState.PROTECTED, primary.state());
            assertEquals(sessions + i + 1, backup.synchronisations());
            primary.awaitCheckpoints(3);
            assertEquals(
                    0,
                    primary.verifyRequests.await(TimeUnit.SECONDS.toNanos(30)).differingPages());
        }
        primary.freeze();
        final long seen = Math.max(
                primary.guest.lastPassedStep(), primary.guest.lastHeldStep(primary.output.acknowledgedEpoch()));
        backup.passSilence(AgentState.ACTIVE);
        assertTrue(backup.stepsAtStart() >= seen, () -> backup.stepsAtStart() + " steps survive, " + seen + " seen");
    }

    @Test
    void shouldNotEndASessionForAModeThatItHas() throws InterruptedException {
        final long sessions = backup.synchronisations();
        assertTrue(set(",\"mode\":\"fgbi\"").startsWith("the mode is this already"));
        primary.awaitCheckpoints(3);
        assertEquals(sessions, backup.synchronisations());
    }

    @Test
    void shouldChangeTheModeOfAProtectionThatIsPausedWithoutResumingIt() throws InterruptedException {
        primary.protectionSwitch.wantPause();
        assertTrue(primary.protectionSwitch.awaitPaused(TimeUnit.SECONDS.toNanos(30)));
        set(",\"codec\":\"lz4\"");
        Await.until("it is adopted", () -> !primary.modeSwitch.isChangeWanted());
        assertEquals(AgentState.PAUSED_BY_OPERATOR, primary.state());
        primary.protectionSwitch.wantResume();
        assertTrue(primary.protectionSwitch.awaitProtected(TimeUnit.SECONDS.toNanos(30)));
        primary.awaitCheckpoints(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "|there is nothing to set",
                ",'period':5|'period' cannot be set, only",
                ",'periodNanos':'5'|must be a whole number",
                ",'periodNanos':1.5|must be a whole number",
                ",'periodNanos':null|must be a whole number",
                ",'periodNanos':99999999999999999999|must be a whole number",
                ",'periodNanos':-1|must be a whole number",
                ",'periodNanos':999999|--period must be at least 1ms",
                ",'periodNanos':86400000000001|--period must be at least 1ms and at most a day",
                ",'minPeriodNanos':300000000|--min-period must not be longer than --max-period",
                ",'mode':'magic'|must be fgbi or remus",
                ",'mode':1|must be a text",
                ",'mode':'remus','blockBytes':128|--block is of no use where whole pages are sent",
                ",'identify':'page'|that is --mode remus",
                ",'identify':'magic'|must be shadow or hash",
                ",'identify':'hash','sharing':true|--sharing off",
                ",'blockBytes':100|64, 128 or 256",
                ",'blockBytes':'64'|64, 128 or 256",
                ",'codec':'zstd'|is not a codec: auto",
                ",'sharing':'on'|must be true or false",
                ",'mode':'remus','periodNanos':1|--period must be at least 1ms",
                ",'periodNanos':5000000,'mode':'magic'|must be fgbi or remus",
                ",'codec':'lz4','waitMillis':-1|must be 0 to",
                ",'policy':'hourly'|must be periodic, output or adaptive",
                ",'policy':7|must be periodic, output or adaptive",
                ",'targetDelayNanos':5000000|a target is for --policy adaptive",
                ",'policy':'adaptive','targetOverhead':0|must be a number from 0.001 to 0.9",
                ",'policy':'adaptive','targetOverhead':'x'|must be a number from 0.001 to 0.9",
                ",'policy':'adaptive','targetOverhead':0.95|--target-overhead must be 0.1% to 90%",
            })
    void shouldRefuseWhatCannotBeAndChangeNothing(final String fields, final String part) throws InterruptedException {
        final PolicySettings before = primary.pace.settings();
        final String refusal = assertThrows(
                        ControlException.class, () -> set(fields == null ? "" : fields.replace('\'', '"')))
                .getMessage();
        assertTrue(refusal.contains(part.replace('\'', '"')), refusal);
        assertEquals(before, primary.pace.settings());
        assertFalse(primary.modeSwitch.isChangeWanted());
    }
}
