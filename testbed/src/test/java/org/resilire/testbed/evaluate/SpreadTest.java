package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void shouldTellMeanMedianAndDeviationOfTheSamples() {
        final Spread spread = Spread.of(4, 2, 9, 5);
        assertEquals(5, spread.mean());
        assertEquals(4.5, spread.median());
        // Of a sample of a population: divided by one less than there are.
        assertEquals(Math.sqrt(26 / 3.0), spread.deviation(), 1e-12);
        assertEquals(2, spread.min());
        assertEquals(9, spread.max());
    }

    @Test
    void shouldLeaveOutSamplesThatLackTheFigure() {
        assertEquals(3, Spread.of(Double.NaN, 3).mean());
        assertEquals(0, Spread.of(Double.NaN, 3).deviation());
        assertTrue(Spread.of(Double.NaN).isEmpty());
    }
}
