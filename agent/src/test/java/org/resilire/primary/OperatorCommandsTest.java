package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.ControlException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What an operator is answered; the checkpoint thread is the test. */
class OperatorCommandsTest {

    @TempDir
    Path directory;

    private final ProtectionSwitch protectionSwitch = new ProtectionSwitch();
    private final List<String> progress = new ArrayList<>();
    private boolean stopped;
    private OperatorCommands commands;

    @BeforeEach
    void make() throws IOException {
        final AgentCounters counters = AgentCounters.create(directory.resolve("counters"));
        counters.state(AgentState.CONNECTING);
        commands = new OperatorCommands(
                protectionSwitch,
                new ProtectionWait(protectionSwitch, counters),
                () -> {
                    stopped = true;
                    protectionSwitch.ended("STOPPED");
                },
                4711);
    }

    private ObjectNode send(final String json) throws InterruptedException {
        final JsonNode request = JsonMapper.shared().readTree(json);
        return commands.handlers().get(request.get("command").stringValue()).handle(request, progress::add);
    }

    private String refusal(final String json) {
        return assertThrows(ControlException.class, () -> send(json)).getMessage();
    }

    private void pause() {
        protectionSwitch.wantPause();
        protectionSwitch.paused(true);
    }

    @Test
    void shouldAnswerAPauseThatIsAlready() throws InterruptedException {
        pause();
        final ObjectNode answer = send("{\"command\":\"pause\"}");
        assertFalse(answer.get("changed").booleanValue());
        assertTrue(answer.get("backupInformed").booleanValue());
        assertTrue(answer.get("result").stringValue().startsWith("protection was paused already"), answer::toString);
    }

    @Test
    void shouldNotResumeWhatIsNotPaused() {
        assertEquals("protection is not paused: there is nothing to resume", refusal("{\"command\":\"resume\"}"));
    }

    @Test
    void shouldNotResumeWhatIsStillBeingPaused() {
        protectionSwitch.wantPause();
        assertTrue(refusal("{\"command\":\"resume\"}").startsWith("protection is still being paused"));
    }

    @Test
    void shouldNotWaitForProtectionIfToldNotTo() throws InterruptedException {
        pause();
        assertTrue(send("{\"command\":\"resume\",\"waitMillis\":0}")
                .get("result")
                .stringValue()
                .startsWith("protection resumes"));
        assertFalse(protectionSwitch.isPauseWanted());
    }

    @Test
    void shouldSayInWhichStateItIsWhenProtectionDoesNotComeInTime() {
        pause();
        final String refusal = refusal("{\"command\":\"resume\",\"waitMillis\":20}");
        assertTrue(refusal.contains("goes on trying, it is CONNECTING"), refusal);
        assertEquals(List.of("CONNECTING"), progress);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "\"1\"", "1.5", "86400001", "1e99", "null", "{}", "99999999999999999999999"})
    void shouldRefuseAWaitThatCannotBeWithoutResuming(final String wait) {
        pause();
        final String refusal = refusal("{\"command\":\"resume\",\"waitMillis\":" + wait + "}");
        assertTrue(refusal.startsWith("\"waitMillis\" must be"), refusal);
        assertTrue(protectionSwitch.isPauseWanted());
    }

    @Test
    void shouldAnswerADetachOnceTheAgentHasEnded() throws InterruptedException {
        final ObjectNode answer = send("{\"command\":\"detach\"}");
        assertTrue(stopped);
        assertEquals(4711, answer.get("pid").longValue());
    }

    @Test
    void shouldNotCallItDetachedWhenTheGuestWasLostMeanwhile() {
        protectionSwitch.ended("GUEST_LOST");
        assertEquals("the agent ended another way: GUEST_LOST", refusal("{\"command\":\"detach\"}"));
    }

    @Test
    void shouldRefuseEverythingOnceTheAgentHasEnded() {
        protectionSwitch.ended("STOPPED");
        assertEquals("the agent has ended: STOPPED", refusal("{\"command\":\"pause\"}"));
        assertEquals("the agent has ended: STOPPED", refusal("{\"command\":\"resume\"}"));
    }
}
