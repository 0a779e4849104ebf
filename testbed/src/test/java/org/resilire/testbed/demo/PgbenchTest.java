package org.resilire.testbed.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PgbenchTest {

    private static final List<String> GOOD = List.of(
            "pgbench (15.20 (Debian 15.20-0+deb12u1))",
            "progress: 1000.500 s, 100.0 tps, lat 8.1 ms stddev 1.2, 0 failed",
            "progress: 1001.500 s, 200.0 tps, lat 8.1 ms stddev 1.2, 0 failed",
            "progress: 1002.500 s, 0.0 tps, lat NaN ms stddev NaN, 0 failed",
            "number of transactions actually processed: 300",
            "number of failed transactions: 0 (0.000%)");

    @Test
    void shouldCountOnlySecondsThatLieWholeInAPhase() {
        final Pgbench.Outcome outcome = Pgbench.outcome(0, GOOD);
        assertEquals("", outcome.complaint());
        assertEquals(200, outcome.transactionsPerSecond(1000.2, 1002.4), 1e-9);
        assertEquals(100, outcome.transactionsPerSecond(0, 1_000_000), 1e-9);
        assertTrue(Double.isNaN(outcome.transactionsPerSecond(1000.6, 1001.4)));
    }

    @Test
    void shouldComplainOfABrokenConnectionEvenIfItSaysHowItWent() {
        final Pgbench.Outcome outcome = Pgbench.outcome(2, GOOD);
        assertTrue(outcome.complaint().contains("exit status 2"), outcome::complaint);
    }

    @Test
    void shouldComplainOfFailedTransactionsAndOfARunThatSaidNothing() {
        assertTrue(Pgbench.outcome(0, List.of("number of failed transactions: 3 (0.100%)"))
                .complaint()
                .contains("3 failed"));
        assertTrue(Pgbench.outcome(0, List.of()).complaint().contains("exit status 0"));
    }
}
