package org.resilire.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class StatusReportTest {

    private static final long NOW = 1_700_000_000_000L;

    @TempDir
    Path directory;

    private AgentCounters counters;

    @BeforeEach
    void setUp() throws IOException {
        try (RunDirectory.Claim claim = directory().claim()) {
            counters = AgentCounters.create(claim, NOW);
        }
    }

    @Test
    void shouldShowValuesInJsonWithUnitsInTheirNames() throws IOException {
        counters.state(AgentState.PROTECTED);
        counters.set(AgentCounter.EPOCH_COMMITTED, 42);
        counters.set(AgentCounter.PAUSE_NANOS_P50, 1_900_000);
        counters.set(AgentCounter.COMMIT_NANOS_P99, 4_250_000);
        counters.set(AgentCounter.BYTES_PER_EPOCH_MEAN, 65_536);
        counters.set(AgentCounter.HELD_FRAMES, 3);
        counters.set(AgentCounter.PAUSED_BY_AGENT, 1);
        counters.text(AgentText.LAST_ERROR, "none \"to speak of\"");

        final ObjectNode json = report(NOW + 200).toJson();
        assertEquals("demo", json.get("vm").stringValue());
        assertEquals("primary", json.get("role").stringValue());
        assertEquals("PROTECTED", json.get("state").stringValue());
        assertEquals(42, json.get("epoch").longValue());
        assertEquals(1.9, json.get("pauseMillisP50").doubleValue());
        assertEquals(4.25, json.get("commitMillisP99").doubleValue());
        assertEquals(65_536, json.get("bytesPerEpochMean").longValue());
        assertEquals(3, json.get("heldFrames").longValue());
        assertTrue(json.get("pausedByAgent").booleanValue());
        assertEquals("none \"to speak of\"", json.get("lastError").stringValue());
        assertEquals("RUNNING", json.get("process").stringValue());
        assertEquals(200, json.get("updatedAgeMillis").longValue());
    }

    @Test
    void shouldShowWhatIsNotKnownAsNull() throws IOException {
        final ObjectNode json = report(NOW).toJson();
        assertTrue(json.get("pauseMillisP50").isNull());
        assertTrue(json.get("epoch").isNull());
        assertTrue(json.get("lastError").isNull());
        assertEquals(0, json.get("epochsTotal").longValue());
        assertTrue(report(NOW).toText().contains("p50 -"));
    }

    @Test
    void shouldTellAPerson() throws IOException {
        counters.state(AgentState.PROTECTED);
        counters.set(AgentCounter.PAUSE_NANOS_P50, 1_900_000);
        counters.set(AgentCounter.WIRE_BYTES_TOTAL, 5 << 20);
        counters.set(AgentCounter.SYNC_PAGES_TOTAL, 200);
        counters.set(AgentCounter.SYNC_PAGES_DONE, 50);
        final String text = report(NOW + 200).toText();
        assertTrue(text.startsWith("VM demo, primary: PROTECTED, the guest survives the loss of this host\n"), text);
        assertTrue(text.contains("updated 0.2 s ago"), text);
        assertTrue(text.contains("p50 1.90 ms"), text);
        assertTrue(text.contains("5.0 MiB in all"), text);
        assertTrue(text.contains("25 % of 200 pages"), text);
        assertFalse(text.contains("last error"), text);
        assertFalse(text.contains(Long.toString(Long.MIN_VALUE)), text);
    }

    @Test
    void shouldTellWhenCheckpointsAreMadeAndWhichTargetIsMissed() throws IOException {
        assertFalse(report(NOW).toText().contains("checkpoints"), "a backup makes none");
        counters.text(AgentText.POLICY, "every 20.0 ms");
        counters.set(AgentCounter.PERIOD_NANOS, 20_000_000);
        counters.set(AgentCounter.INTERVAL_NANOS, 21_000_000);
        counters.set(AgentCounter.OUTPUT_DELAY_NANOS, 14_500_000);
        counters.set(AgentCounter.PAUSED_PPM, 123_456);
        counters.set(AgentCounter.MISSED_TARGETS, 0);
        final String held =
                "  lately      every 21.00 ms (planned 20.00 ms), output waits 14.50 ms, guest paused 12.3 % of the time";
        assertTrue(report(NOW).toText().contains("  checkpoints every 20.0 ms\n" + held + "\n"));
        assertEquals(0, report(NOW).toJson().get("missedTargets").size());
        counters.set(AgentCounter.MISSED_TARGETS, 3);
        assertTrue(report(NOW).toText().contains(held + "; MISSES its targets for delay and overhead\n"));
        counters.set(AgentCounter.MISSED_TARGETS, 2);
        assertTrue(report(NOW).toText().contains(held + "; MISSES its target for overhead\n"));
        final ObjectNode json = report(NOW).toJson();
        assertEquals("[\"overhead\"]", json.get("missedTargets").toString());
        assertEquals(21.0, json.get("intervalMillis").doubleValue());
        assertEquals(14.5, json.get("outputDelayMillis").doubleValue());
    }

    @Test
    void shouldShowWhatLeftWhileInputWasLoggedAndOfWhatTheBackupWasNotTold() throws IOException {
        assertFalse(report(NOW).toText().contains("let out"));
        counters.set(AgentCounter.EMITTED_FRAMES_TOTAL, 100);
        counters.set(AgentCounter.EMITTED_FRAMES_LAST_EPOCH, 20);
        counters.set(AgentCounter.EMITTED_BYTES_LAST_EPOCH, 2_048);
        counters.set(AgentCounter.EMITTED_FLOWS, 5);
        counters.set(AgentCounter.UNTRACKED_FRAMES_TOTAL, 7);
        final String text = report(NOW).toText();
        assertTrue(
                text.contains(
                        "  let out     20 frames, 2.0 KiB in the last epoch; 5 flows; 7 frames of flows without room\n"),
                text);
        assertEquals(7, report(NOW).toJson().get("untrackedFramesTotal").longValue());
    }

    @Test
    void shouldSayThatTheAgentHasDied() throws IOException {
        counters.state(AgentState.PROTECTED);
        counters.set(AgentCounter.PID_START_TICKS, 1);
        assertEquals(AgentProcess.DIED, report(NOW).process());
        assertTrue(report(NOW).toText().contains("THE AGENT HAS DIED (it was PROTECTED)"));
        assertEquals("DIED", report(NOW).toJson().get("process").stringValue());

        counters.state(AgentState.STOPPED);
        assertEquals(AgentProcess.ENDED, report(NOW).process());
    }

    @Test
    void shouldShowStatesOfANewerAgentAsUnknown() throws IOException {
        counters.set(AgentCounter.STATE, 4_711);
        counters.set(AgentCounter.ROLE, -3);
        assertTrue(report(NOW).toJson().get("state").isNull());
        assertTrue(report(NOW).toText().startsWith("VM demo, -: -\n"));
    }

    @Test
    void shouldNotLetATextOfAPeerReachTheTerminalAsItIs() throws IOException {
        counters.text(AgentText.LAST_ERROR, "bad \u001b[2J\nVM other: PROTECTED\u202e");
        final String text = report(NOW).toText();
        assertTrue(text.contains("bad  [2J VM other: PROTECTED"), text);
        assertEquals(-1, text.indexOf('\u001b'));
    }

    private StatusReport report(final long nowEpochMillis) throws IOException {
        return StatusReport.of(AgentCountersReader.open(directory()), nowEpochMillis);
    }

    private RunDirectory directory() {
        return RunDirectory.under(directory, "demo", AgentRole.PRIMARY);
    }
}
