package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.QmpClient;
import org.resilire.testbed.lab.TakeoverMode;

/** The main promise: a guest outlives its host, and nothing that a client was told becomes untrue. */
class FailoverSystemTest {

    private static final int EPOCHS_BEFORE_DEATH = 100;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);

    /** Of {@code resilire protect} when the other host runs the guest. */
    private static final int PEER = 6;

    @ParameterizedTest(name = "{0} MiB, {1} vCPU")
    @CsvSource({"256, 1", "256, 2", "1024, 1"})
    void shouldLoseNothingWhenHostDiesAndRefuseItWhenItComesBack(final int memoryMiB, final int cpus) {
        final GuestConfig config = new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, cpus);
        try (TwoHosts hosts = TwoHosts.boot("FailoverSystemTest-" + memoryMiB + "-" + cpus, config)) {
            hosts.protect(TakeoverMode.AUTO, TwoHosts.patient());
            final long generation = hosts.standby().counter(AgentCounter.GENERATION);
            hosts.startLoad();
            hosts.awaitEpochs(EPOCHS_BEFORE_DEATH, EPOCHS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());

            hosts.requireNothingLost(hosts.killHostA());
            assertTrue(hosts.standby().counter(AgentCounter.GENERATION) > generation, hosts::describe);

            assertOldPrimaryIsRefused(hosts);
        }
    }

    /** The host is repaired and started as it was, with what its agent remembers: nobody told it that it is the past. */
    private static void assertOldPrimaryIsRefused(final TwoHosts hosts) {
        hosts.bootGuest();
        final AgentProcess returned = hosts.startPrimary(TwoHosts.patient());
        returned.process().awaitEnd(TwoHosts.END_LIMIT);
        assertEquals(PEER, returned.process().exitStatus(), hosts::describe);
        try (QmpClient qmp = hosts.guest().openQmp()) {
            final String status = qmp.execute(QmpClient.encode("query-status", Map.of()))
                    .path("status")
                    .asString("");
            assertEquals("paused", status, () -> "the guest of the old primary must stand still" + hosts.describe());
        }
        assertEquals(AgentState.ACTIVE, hosts.standby().state(), hosts::describe);
    }
}
