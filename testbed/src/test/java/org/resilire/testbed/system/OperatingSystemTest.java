package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.TakeoverMode;

/**
 * What an operator does to a guest that is protected: pauses and resumes that, changes how it is done, ends it. The guest's clients
 * live through all of it, and through the death of its host at the end.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OperatingSystemTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int EPOCHS = 50;

    private static TwoHosts hosts;

    @BeforeAll
    static void protectGuest() {
        hosts = TwoHosts.boot(OperatingSystemTest.class);
        hosts.protect(TakeoverMode.AUTO, TwoHosts.patient());
        hosts.startLoad();
        hosts.awaitEpochs(EPOCHS, LIMIT);
    }

    @AfterAll
    static void closeLab() {
        if (hosts != null) {
            hosts.close();
        }
    }

    /** The primary at once; the standby's own word comes a moment after its acknowledgement. */
    private static void assertProtected() {
        assertEquals(AgentState.PROTECTED, hosts.primary().state(), hosts::describe);
        hosts.awaitProtected();
    }

    private static void assertDone(final CommandRun run) {
        assertEquals(0, run.exitStatus(), () -> run + hosts.describe());
    }

    @Test
    @Order(1)
    void shouldLetTheGuestWorkUnprotectedWhilePausedAndNeverTakeOverWhatIsStale() {
        hosts.primary().command("pause");
        assertEquals(AgentState.PAUSED_BY_OPERATOR, hosts.primary().state(), hosts::describe);
        // It answers the primary first.
        hosts.standby().awaitState(AgentState.STANDBY_WAITING, LIMIT);
        final long epochs = hosts.primary().counter(AgentCounter.EPOCHS_TOTAL);
        hosts.awaitAnswersSince(System.nanoTime());
        assertEquals(epochs, hosts.primary().counter(AgentCounter.EPOCHS_TOTAL), hosts::describe);
        // Not even by an operator's order.
        final TestbedException refused =
                assertThrows(TestbedException.class, () -> hosts.standby().command("failover"));
        assertTrue(refused.getMessage().contains("there is no checkpoint to start from"), refused::getMessage);

        assertDone(hosts.resilireOnA("pause"));
        assertDone(hosts.resilireOnA("resume"));
        assertProtected();
        assertEquals(1, hosts.resilireOnA("resume").exitStatus());
        hosts.awaitEpochs(EPOCHS, LIMIT);
        assertEquals(0, hosts.verify().exitStatus(), hosts::describe);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--period 50ms",
                "--policy output --max-period 100ms",
                "--policy adaptive --target-overhead 20%",
                "--policy periodic --period 20ms"
            })
    @Order(2)
    void shouldChangeWhenCheckpointsAreMadeWithoutANewSession(final String options) {
        final long sessions = hosts.standby().counter(AgentCounter.SYNCHRONISATIONS);
        assertDone(hosts.resilireOnA("set " + options));
        hosts.awaitEpochs(EPOCHS, LIMIT);
        hosts.awaitAnswersSince(System.nanoTime());
        System.out.printf(
                "%s: every %.1f ms, output waits %.1f ms, %.1f %% of the time paused%n",
                options,
                hosts.primary().millis(AgentCounter.INTERVAL_NANOS),
                hosts.primary().millis(AgentCounter.OUTPUT_DELAY_NANOS),
                hosts.primary().counter(AgentCounter.PAUSED_PPM) / 1e4);
        assertEquals(sessions, hosts.standby().counter(AgentCounter.SYNCHRONISATIONS), hosts::describe);
        assertEquals(AgentState.PROTECTED, hosts.primary().state(), hosts::describe);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--mode remus", "--mode fgbi --block 256", "--codec delta+lz4"})
    @Order(3)
    void shouldGoOnInAnotherModeOnceTheMemoryIsCopiedAnew(final String options) {
        final long sessions = hosts.standby().counter(AgentCounter.SYNCHRONISATIONS);
        assertDone(hosts.resilireOnA("set " + options));
        assertProtected();
        assertEquals(sessions + 1, hosts.standby().counter(AgentCounter.SYNCHRONISATIONS), hosts::describe);
        hosts.awaitEpochs(EPOCHS, LIMIT);
        assertEquals(0, hosts.verify().exitStatus(), hosts::describe);
    }

    @Test
    @Order(4)
    void shouldEndTheAgentAndLeaveTheGuestAloneWhenDetached() {
        assertDone(hosts.resilireOnA("detach"));
        // Between an agent's end and that of its process is no work.
        hosts.primary().process().awaitEnd(LIMIT);
        assertEquals(0, hosts.primary().process().exitStatus(), hosts::describe);
        assertEquals(AgentState.STOPPED, hosts.primary().state());
        assertEquals(7, hosts.resilireOnA("detach").exitStatus());
        hosts.startPrimary(TwoHosts.patient());
        hosts.awaitProtected();
        hosts.awaitAnswersSince(System.nanoTime());
    }

    @Test
    @Order(5)
    void shouldLoseNothingOfWhatWasDoneInAPauseWhenTheHostDiesAfterIt() {
        hosts.primary().command("pause");
        hosts.awaitAnswersSince(System.nanoTime());
        hosts.primary().command("resume");
        hosts.awaitEpochs(EPOCHS, LIMIT);
        hosts.awaitAnswersSince(System.nanoTime());

        hosts.requireNothingLost(hosts.killHostA());
    }
}
