package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadOptions;
import org.resilire.testbed.load.LoadResult;

/**
 * Answers that did not wait for a checkpoint stay true when the host dies, as long as the guest does the same again: Redis, whose answers
 * depend on its requests alone.
 */
class InputReplaySystemTest {

    private static final int EPOCHS_BEFORE_DEATH = 20;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);
    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(20);

    /** Many answers between two checkpoints. */
    private static final LoadOptions LOAD =
            LoadOptions.defaults().withConnections(8).withThinkTime(Duration.ofMillis(1));

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({"--mode llm, 200", "--mode llm --identify page, 50"})
    void shouldReplayWhatWasAnsweredSinceTheCheckpoint(final String mode, final int periodMillis) {
        final AgentOptions options =
                TwoHosts.patient().withPeriod(Duration.ofMillis(periodMillis)).withPrimaryExtra(mode.split(" "));
        try (TwoHosts hosts = TwoHosts.boot(InputReplaySystemTest.class)) {
            hosts.startStandby(TakeoverMode.AUTO, TwoHosts.patient());
            hosts.startPrimary(options);
            hosts.awaitProtected();
            final long protectedNs = System.nanoTime();
            hosts.startLoad(LOAD);
            hosts.awaitEpochs(EPOCHS_BEFORE_DEATH, EPOCHS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());
            assertTrue(hosts.primary().counter(AgentCounter.EMITTED_FRAMES_TOTAL) > 0, hosts::describe);

            final FailoverTimes times = killHostA(hosts, protectedNs);
            hosts.awaitAnswersSince(times.stoodByNs());
            final LoadResult result = hosts.load().finish(times);

            assertEquals(0, result.lostOperations(), () -> result + hosts.describe());
            assertEquals(0, result.rewinds(), () -> result + hosts.describe());
            assertEquals(result.connections(), result.connectionsSurvived(), () -> result + hosts.describe());
            assertTrue(result.complaints().isEmpty(), result::toString);
            assertTrue(hosts.standby().counter(AgentCounter.REPLAYED_FRAMES) > 0, hosts::describe);
            assertEquals(0, hosts.standby().counter(AgentCounter.DIVERGED_FLOWS), hosts::describe);
            assertTrue(
                    result.latencyMillisP50() < periodMillis / 2.0,
                    () -> "answers waited for checkpoints: " + result + hosts.describe());
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
}
