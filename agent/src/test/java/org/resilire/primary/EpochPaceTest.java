package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentText;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.PolicySettings.Kind;
import org.resilire.epoch.ReplicationMode;
import org.resilire.net.GateMode;
import org.resilire.net.OutputEpochs;
import org.resilire.net.OutputSignal;
import org.resilire.simd.ScalarBlockKernels;
import org.resilire.synthetic.Garbage;
import org.resilire.synthetic.SyntheticMemory;

/** When checkpoints are due, at times that the test says. */
class EpochPaceTest {

    private static final long MILLI = 1_000_000;
    private static final PolicySettings OUTPUT =
            new PolicySettings(Kind.OUTPUT, 20 * MILLI, 3 * MILLI, 200 * MILLI, 0, 0);

    @TempDir
    Path directory;

    private final OutputEpochs output = new OutputEpochs(GateMode.HOLD);
    private final OutputSignal signal = new OutputSignal();
    private final CommitClock commitClock = new CommitClock();
    private SyntheticMemory memory;
    private ModeParts mode;
    private AgentCounters counters;
    private PrimaryMetrics metrics;

    @BeforeEach
    void make() throws IOException {
        memory = SyntheticMemory.ofGuest(directory.resolve("ram"), 4);
        mode = new ModeParts(ReplicationMode.remus(), memory.memory().segment(), new ScalarBlockKernels());
        counters = AgentCounters.create(directory.resolve("counters"));
        metrics = new PrimaryMetrics(counters, mode);
        output.beginEpoch(1);
    }

    @AfterEach
    void close() {
        mode.close();
        memory.close();
        output.close();
    }

    private EpochPace pace(final PolicySettings settings) {
        final EpochPace pace = new EpochPace(settings, signal, output, commitClock, metrics);
        pace.beginSession(0, 0);
        return pace;
    }

    @Test
    void shouldBeDueEveryPeriodAndTellHowLateItIs() {
        final EpochPace pace = pace(PolicySettings.periodic(20 * MILLI));
        assertFalse(pace.isDue(20 * MILLI - 1, true));
        assertTrue(pace.isDue(20 * MILLI, true));
        assertFalse(pace.isDue(25 * MILLI, false), "the backup has not kept up");
        assertTrue(pace.isDue(29 * MILLI, true));
        assertEquals(9 * MILLI, pace.latenessNanos(29 * MILLI));
        pace.onCheckpoint(29 * MILLI, MILLI, 0);
        assertFalse(pace.isDue(48 * MILLI, true), "a late one is not made up for");
        assertTrue(pace.isDue(49 * MILLI, true));
        assertEquals(0, pace.latenessNanos(49 * MILLI));
    }

    @Test
    void shouldIgnoreOutputUnlessThePolicyHeedsIt() {
        final EpochPace pace = pace(PolicySettings.periodic(20 * MILLI));
        signal.onFirstOutputHeld(1);
        assertFalse(pace.isDue(10 * MILLI, true));
    }

    @Test
    void shouldBeDueAtOnceWhenTheGuestSendsSomethingAndSeldomWhenItDoesNot() {
        final EpochPace pace = pace(OUTPUT);
        assertFalse(pace.isDue(150 * MILLI, true));
        signal.onFirstOutputHeld(1);
        assertTrue(pace.isDue(150 * MILLI, true));
        assertEquals(0, pace.latenessNanos(150 * MILLI));
        output.beginEpoch(2);
        pace.onCheckpoint(150 * MILLI, MILLI, 0);
        // What was held belongs to the epoch that has ended.
        assertFalse(pace.isDue(349 * MILLI, true));
        assertTrue(pace.isDue(350 * MILLI, true));
    }

    @Test
    void shouldKeepCheckpointsApartHoweverMuchOutputThereIs() {
        final EpochPace pace = pace(OUTPUT);
        signal.onFirstOutputHeld(1);
        assertFalse(pace.isDue(3 * MILLI - 1, true));
        assertTrue(pace.isDue(3 * MILLI, true));
    }

    @Test
    void shouldTriggerForOutputOfTheEpochThatFollowsAPauseAtOnce() {
        final EpochPace pace = pace(OUTPUT);
        output.beginEpoch(2);
        // Sent before the pause, received after it: labelled with the epoch that had just begun.
        signal.onFirstOutputHeld(2);
        pace.onCheckpoint(10 * MILLI, MILLI, 0);
        assertFalse(pace.isDue(14 * MILLI, false), "the epoch before it is not far enough");
        assertTrue(pace.isDue(15 * MILLI, true));
        assertEquals(MILLI, pace.latenessNanos(15 * MILLI));
    }

    @Test
    void shouldFollowAChangeFromTheNextLookOn() {
        final EpochPace pace = pace(PolicySettings.periodic(200 * MILLI));
        assertFalse(pace.isDue(50 * MILLI, true));
        pace.change(PolicySettings.periodic(10 * MILLI));
        assertEquals(10 * MILLI, pace.settings().periodNanos());
        assertTrue(pace.isDue(50 * MILLI, true));
        assertEquals(10 * MILLI, counters.value(AgentCounter.PERIOD_NANOS));
        assertEquals("every 10.0 ms", counters.text(AgentText.POLICY));
        pace.change(OUTPUT);
        assertFalse(pace.isDue(51 * MILLI, true));
        signal.onFirstOutputHeld(1);
        assertTrue(pace.isDue(51 * MILLI, true));
    }

    @Test
    void shouldTellWhatCheckpointsLatelyTook() {
        final EpochPace pace = pace(PolicySettings.periodic(20 * MILLI));
        for (int epoch = 1; epoch <= 50; epoch++) {
            final long startNanos = epoch * 20L * MILLI;
            commitClock.started(epoch, startNanos);
            commitClock.acknowledged(epoch, startNanos + 5 * MILLI);
            pace.onCheckpoint(startNanos, 2 * MILLI, epoch);
        }
        assertEquals(20 * MILLI, counters.value(AgentCounter.INTERVAL_NANOS));
        assertEquals(100_000, counters.value(AgentCounter.PAUSED_PPM));
        assertEquals(14.0 * MILLI, (double) counters.value(AgentCounter.OUTPUT_DELAY_NANOS), MILLI / 1000.0);
        assertEquals(0, counters.value(AgentCounter.MISSED_TARGETS));
    }

    /** It hashes all memory in its pause: neither its pause nor its commit says anything about others. */
    @Test
    void shouldLeaveAVerificationOutOfWhatCheckpointsTook() {
        final EpochPace pace = pace(PolicySettings.periodic(20 * MILLI));
        commitClock.started(1, 20 * MILLI);
        commitClock.acknowledged(1, 25 * MILLI);
        pace.onCheckpoint(20 * MILLI, 2 * MILLI, 1);
        commitClock.started(2, 40 * MILLI);
        commitClock.acknowledged(2, 940 * MILLI);
        pace.onVerification(40 * MILLI, 2, 1);
        commitClock.started(3, 60 * MILLI);
        commitClock.acknowledged(3, 65 * MILLI);
        pace.onCheckpoint(60 * MILLI, 2 * MILLI, 3);
        assertEquals(20 * MILLI, counters.value(AgentCounter.INTERVAL_NANOS));
        assertEquals(14.0 * MILLI, (double) counters.value(AgentCounter.OUTPUT_DELAY_NANOS), MILLI / 1000.0);
    }

    @ParameterizedTest
    @EnumSource
    void shouldAllocateNothingBetweenTwoChanges(final Kind kind) {
        final EpochPace pace = pace(new PolicySettings(kind, 5 * MILLI, MILLI, 200 * MILLI, 10 * MILLI, 0.1));
        makeCheckpoints(pace, 50_000);
        Garbage.assertBelow(64 << 10, "20,000 checkpoints", () -> makeCheckpoints(pace, 20_000));
    }

    private void makeCheckpoints(final EpochPace pace, final int count) {
        for (int i = 0; i < count; i++) {
            final long epoch = output.currentEpoch();
            final long startNanos = epoch * 5 * MILLI;
            pace.isDue(startNanos - 2 * MILLI, true);
            signal.onFirstOutputHeld(epoch);
            pace.isDue(startNanos, true);
            pace.latenessNanos(startNanos);
            commitClock.started(epoch, startNanos);
            output.beginEpoch(epoch + 1);
            commitClock.acknowledged(epoch, startNanos + 3 * MILLI);
            signal.progressed();
            pace.onCheckpoint(startNanos, 2 * MILLI, epoch);
        }
    }
}
