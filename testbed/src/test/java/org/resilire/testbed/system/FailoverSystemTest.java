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
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadResult;

/** The main promise: a guest outlives its host, and nothing that a client was told becomes untrue. */
class FailoverSystemTest {

    private static final int EPOCHS_BEFORE_DEATH = 100;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);
    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(20);

    /** Of {@code resilire protect} when the other host runs the guest. */
    private static final int PEER = 6;

    @ParameterizedTest(name = "{0} MiB, {1} vCPU")
    @CsvSource({"256, 1", "256, 2", "1024, 1"})
    void shouldLoseNothingWhenHostDiesAndRefuseItWhenItComesBack(final int memoryMiB, final int cpus) {
        final GuestConfig config = new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, cpus);
        try (TwoHosts hosts = TwoHosts.boot("FailoverSystemTest-" + memoryMiB + "-" + cpus, config)) {
            hosts.startStandby(TakeoverMode.AUTO, TwoHosts.patient());
            hosts.startPrimary(TwoHosts.patient());
            hosts.awaitProtected();
            final long protectedNs = System.nanoTime();
            final long generation = hosts.standby().counter(AgentCounter.GENERATION);
            hosts.startLoad();
            hosts.awaitEpochs(EPOCHS_BEFORE_DEATH, EPOCHS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());

            final FailoverTimes times = killHostA(hosts, protectedNs);
            hosts.awaitAnswersSince(times.stoodByNs());
            final LoadResult result = hosts.load().finish(times);

            assertEquals(0, result.lostOperations(), result::toString);
            assertEquals(0, result.rewinds(), result::toString);
            assertEquals(result.connections(), result.connectionsSurvived(), result::toString);
            assertTrue(result.complaints().isEmpty(), result::toString);
            assertTrue(hosts.standby().counter(AgentCounter.GENERATION) > generation, hosts::describe);

            assertOldPrimaryIsRefused(hosts);
        }
    }

    private static FailoverTimes killHostA(final TwoHosts hosts, final long protectedNs) {
        final long killedNs = System.nanoTime();
        hosts.guest().process().kill();
        hosts.primary().process().kill();
        final long[] stoodByNs = {killedNs};
        hosts.await(
                () -> {
                    // The clock first: at that time it was not further than what is read after.
                    final long nowNs = System.nanoTime();
                    final AgentState state = hosts.standby().state();
                    if (state == AgentState.STANDBY_READY) {
                        stoodByNs[0] = nowNs;
                    }
                    return state == AgentState.ACTIVE;
                },
                TAKEOVER_LIMIT,
                "host B to run the guest",
                false);
        return new FailoverTimes(protectedNs, killedNs, stoodByNs[0]);
    }

    /** The host is repaired and started as it was, with what its agent remembers: nobody told it that it is the past. */
    private static void assertOldPrimaryIsRefused(final TwoHosts hosts) {
        hosts.bootGuest();
        final AgentProcess returned = hosts.startPrimary(TwoHosts.patient());
        returned.process().awaitEnd(TAKEOVER_LIMIT);
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
