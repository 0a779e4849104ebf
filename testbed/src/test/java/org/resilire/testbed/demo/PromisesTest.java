package org.resilire.testbed.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.resilire.testbed.load.LoadResult;

class PromisesTest {

    @Test
    void shouldFindNothingWhenAllWasKept() {
        assertEquals(List.of(), Promises.broken(agent(100, 0), clients(0, 0, 5, 200.0)));
    }

    @Test
    void shouldNameEachBrokenPromise() {
        assertOnly("3 acknowledged operations are lost", agent(100, 0), clients(3, 0, 5, 200.0));
        assertOnly("2 answers did not follow", agent(100, 0), clients(0, 2, 5, 200.0));
        assertOnly("1 of 5 connections did not survive", agent(100, 0), clients(0, 0, 4, 200.0));
        assertOnly("no operation was answered after the failover", agent(100, 0), clients(0, 0, 5, null));
        assertOnly("at 1 epochs host B's memory differed", agent(100, 1), clients(0, 0, 5, 200.0));
        assertOnly("no epoch was committed", agent(0, 0), clients(0, 0, 5, 200.0));
    }

    private static void assertOnly(final String beginning, final AgentFigures agent, final LoadResult clients) {
        final List<String> broken = Promises.broken(agent, clients);
        assertEquals(1, broken.size());
        assertTrue(broken.getFirst().startsWith(beginning), broken.getFirst());
    }

    private static AgentFigures agent(final long epochs, final long verifyFailures) {
        return new AgentFigures(epochs, 2.0, 4.0, 5.0, 9.0, 40_000L, 3, verifyFailures, 0, 0);
    }

    private static LoadResult clients(
            final long lost, final long rewinds, final int survived, final Double downtimeMillis) {
        return new LoadResult(
                1_000,
                lost,
                rewinds,
                5,
                survived,
                downtimeMillis,
                downtimeMillis,
                downtimeMillis,
                20.0,
                40.0,
                1.0,
                List.of());
    }
}
