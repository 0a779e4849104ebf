package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.LoadOptions;
import org.resilire.testbed.load.LoadResult;

/**
 * Answers that did not wait for a checkpoint stay true when the host dies, as long as the guest does the same again: Redis, whose answers
 * depend on its requests alone.
 */
class InputReplaySystemTest {

    private static final int EPOCHS_BEFORE_DEATH = 20;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);
    private static final Duration PUBLISHED_LIMIT = Duration.ofSeconds(10);

    /** Many answers between two checkpoints. */
    private static final LoadOptions LOAD =
            LoadOptions.defaults().withConnections(8).withThinkTime(Duration.ofMillis(1));

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({"--mode llm, 400", "--mode llm --identify page, 200"})
    void shouldReplayWhatWasAnsweredSinceTheCheckpoint(final String mode, final int periodMillis) {
        final AgentOptions options =
                TwoHosts.patient().withPeriod(Duration.ofMillis(periodMillis)).withPrimaryExtra(mode.split(" "));
        try (TwoHosts hosts = TwoHosts.boot(InputReplaySystemTest.class)) {
            hosts.protect(TakeoverMode.AUTO, options);
            hosts.startLoad(LOAD);
            hosts.awaitEpochs(EPOCHS_BEFORE_DEATH, EPOCHS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());
            // Counters are published a few times a second.
            Await.until(
                    () -> hosts.primary().counter(AgentCounter.EMITTED_FRAMES_TOTAL) > 0,
                    PUBLISHED_LIMIT,
                    hosts::describe);

            final LoadResult result = hosts.requireNothingLost(hosts.killHostA());
            Await.until(
                    () -> hosts.standby().counter(AgentCounter.REPLAYED_FRAMES) > 0, PUBLISHED_LIMIT, hosts::describe);
            assertEquals(0, hosts.standby().counter(AgentCounter.DIVERGED_FLOWS), hosts::describe);
            assertTrue(
                    result.latencyMillisP50() < periodMillis / 2.0,
                    () -> "answers waited for checkpoints: " + result + hosts.describe());
        }
    }
}
