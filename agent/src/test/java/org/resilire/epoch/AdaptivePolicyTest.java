package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The controller against guests whose checkpoints are computed, with seeded noise. */
class AdaptivePolicyTest {

    private static final long MILLI = 1_000_000;
    private static final long MIN = MILLI;
    private static final long MAX = 200 * MILLI;

    private final SplittableRandom random = new SplittableRandom(4711);

    /** Pauses and commits that grow with what is written in a period, and are never twice the same. */
    private final class Plant {
        private final PaceEstimate estimate = new PaceEstimate();
        private final EpochPolicy policy;
        private double pauseNanos = 2 * MILLI;
        private double pauseGrowth = 0.01;
        private double commitNanos = 3 * MILLI;
        private double commitGrowth = 0.05;
        private double noise = 0.1;
        private long nowNanos;

        Plant(final EpochPolicy policy) {
            this.policy = policy;
            estimate.beginSession(0);
        }

        private long noisy(final double nanos) {
            return (long) (nanos * (1 + noise * (2 * random.nextDouble() - 1)));
        }

        void checkpoint() {
            final long period = policy.nextStartNanos(nowNanos, false) - nowNanos;
            nowNanos += period;
            estimate.onCommitted(noisy(pauseNanos + pauseGrowth * period + commitNanos + commitGrowth * period));
            estimate.onCheckpoint(nowNanos, noisy(pauseNanos + pauseGrowth * period));
            policy.adjust(estimate);
        }

        void run(final int checkpoints) {
            for (int i = 0; i < checkpoints; i++) {
                checkpoint();
            }
        }

        double trueDelayMillis() {
            final double period = policy.periodNanos();
            final double pause = pauseNanos + pauseGrowth * period;
            return ((period - pause) / 2 + pause + commitNanos + commitGrowth * period) / MILLI;
        }

        double trueShare() {
            final double period = policy.periodNanos();
            return (pauseNanos + pauseGrowth * period) / period;
        }
    }

    private static AdaptivePolicy delay(final long targetNanos) {
        return new AdaptivePolicy(20 * MILLI, MIN, MAX, targetNanos, AdaptivePolicy.NONE);
    }

    private static AdaptivePolicy overhead(final double share) {
        return new AdaptivePolicy(20 * MILLI, MIN, MAX, AdaptivePolicy.NONE, share);
    }

    @ParameterizedTest
    @CsvSource({"8", "10", "20", "50"})
    void shouldHoldADelayWithTheLongestPeriodThatDoes(final long targetMillis) {
        final Plant plant = new Plant(delay(targetMillis * MILLI));
        plant.run(400);
        for (int i = 0; i < 400; i++) {
            plant.checkpoint();
            assertEquals((double) targetMillis, plant.trueDelayMillis(), 0.12 * targetMillis);
        }
        assertEquals(0, plant.policy.missedTargets());
    }

    @ParameterizedTest
    @CsvSource({"0.05", "0.1", "0.2", "0.5"})
    void shouldHoldAnOverheadWithTheShortestPeriodThatDoes(final double share) {
        final Plant plant = new Plant(overhead(share));
        plant.run(600);
        for (int i = 0; i < 400; i++) {
            plant.checkpoint();
            assertEquals(share, plant.trueShare(), 0.12 * share);
        }
        assertEquals(0, plant.policy.missedTargets());
    }

    @Test
    void shouldFollowALoadThatChangesWithoutSwinging() {
        final Plant plant = new Plant(delay(20 * MILLI));
        plant.noise = 0;
        plant.run(400);
        final double before = (double) plant.policy.periodNanos();
        plant.commitNanos = 9 * MILLI;
        double lowest = before;
        double last = before;
        int turns = 0;
        double direction = -1;
        for (int i = 0; i < 400; i++) {
            plant.checkpoint();
            final double period = (double) plant.policy.periodNanos();
            if ((period - last) * direction < 0) {
                turns++;
                direction = -direction;
            }
            last = period;
            lowest = Math.min(lowest, period);
        }
        assertEquals(20, plant.trueDelayMillis(), 1.5);
        assertTrue(turns <= 1, turns + " turns");
        assertTrue(last - lowest < 0.05 * last, "down to " + lowest + ", then " + last);
        final double still = (double) plant.policy.periodNanos();
        plant.run(50);
        assertEquals(still, (double) plant.policy.periodNanos(), "it goes on moving though nothing changes");
    }

    @Test
    void shouldSayThatADelayCannotBeHeldAndKeepToTheBound() {
        final Plant plant = new Plant(delay(4 * MILLI));
        plant.run(400);
        assertEquals(EpochPolicy.MISSES_DELAY, plant.policy.missedTargets());
        assertTrue(plant.policy.periodNanos() < 1.1 * MIN, plant.policy.periodNanos() + " ns");
        plant.commitNanos = 0.2 * MILLI;
        plant.run(400);
        assertEquals(0, plant.policy.missedTargets());
    }

    @Test
    void shouldSayThatAnOverheadCannotBeHeldAndKeepToTheBound() {
        final Plant plant = new Plant(overhead(0.005));
        plant.run(600);
        assertEquals(EpochPolicy.MISSES_OVERHEAD, plant.policy.missedTargets());
        assertTrue(plant.policy.periodNanos() > 0.9 * MAX && plant.policy.periodNanos() <= MAX);
    }

    @Test
    void shouldPutTheDelayFirstAndWatchTheOverhead() {
        final Plant plant = new Plant(new AdaptivePolicy(20 * MILLI, MIN, MAX, 10 * MILLI, 0.05));
        plant.run(600);
        assertEquals(10, plant.trueDelayMillis(), 1.2);
        assertEquals(EpochPolicy.MISSES_OVERHEAD, plant.policy.missedTargets());
    }

    @Test
    void shouldNotBeThrownOffByAHiccup() {
        final Plant plant = new Plant(delay(20 * MILLI));
        plant.run(400);
        final double before = (double) plant.policy.periodNanos();
        plant.estimate.onCommitted(5_000 * MILLI);
        plant.policy.adjust(plant.estimate);
        plant.run(5);
        assertEquals(before, (double) plant.policy.periodNanos(), 0.3 * before);
        plant.run(200);
        assertEquals(20, plant.trueDelayMillis(), 2);
    }

    @Test
    void shouldNotChangeThePeriodBeforeAnythingWasAcknowledged() {
        final AdaptivePolicy policy = delay(10 * MILLI);
        final PaceEstimate estimate = new PaceEstimate();
        estimate.beginSession(0);
        estimate.onCheckpoint(20 * MILLI, 2 * MILLI);
        policy.adjust(estimate);
        assertEquals(20 * MILLI, policy.periodNanos());
        assertEquals(PaceEstimate.UNKNOWN, policy.outputDelayNanos(estimate));
    }

    @Test
    void shouldMeasureWhatCheckpointsTookNotWhatWasPlanned() {
        // A backup that lags behind stretches epochs: the delay that is told must be the one that clients see.
        final AdaptivePolicy policy = delay(10 * MILLI);
        final PaceEstimate estimate = new PaceEstimate();
        estimate.beginSession(0);
        for (int i = 1; i <= 100; i++) {
            estimate.onCommitted(4 * MILLI);
            estimate.onCheckpoint(i * 60L * MILLI, 2 * MILLI);
            policy.adjust(estimate);
        }
        assertEquals(33.0 * MILLI, (double) policy.outputDelayNanos(estimate), 1.0 * MILLI);
        assertEquals(EpochPolicy.MISSES_DELAY, policy.missedTargets());
    }
}
