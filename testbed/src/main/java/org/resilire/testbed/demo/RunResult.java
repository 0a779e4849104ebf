package org.resilire.testbed.demo;

import java.util.List;
import java.util.function.Function;

/** What one failover showed. */
interface RunResult {

    /** Empty if all went as it must. */
    List<String> brokenPromises();

    /** Whether all went as it must. */
    static boolean isKept(final RunResult run) {
        return run.brokenPromises().isEmpty();
    }

    /** How many kept every promise. */
    static int succeeded(final List<? extends RunResult> runs) {
        return (int) runs.stream().filter(RunResult::isKept).count();
    }

    /** Of a figure over those that have it. */
    static <R extends RunResult> long sum(final List<R> runs, final Function<R, Long> figure) {
        return runs.stream()
                .map(figure)
                .mapToLong(value -> value == null ? 0 : value)
                .sum();
    }
}
