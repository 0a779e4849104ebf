package org.resilire.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PageRunsTest {

    @Test
    void shouldJoinARunThatContinuesTheLast() {
        final PageRuns runs = new PageRuns(2);
        runs.add(10, 2);
        runs.add(12, 3);
        assertEquals(1, runs.size());
        assertEquals(10, runs.firstPage(0));
        assertEquals(5, runs.pageCount(0));
        assertEquals(5, runs.totalPages());
    }

    @Test
    void shouldKeepRunsApartThatDoNotTouch() {
        final PageRuns runs = new PageRuns(2);
        runs.add(10, 2);
        runs.add(13, 1);
        assertEquals(2, runs.size());
        assertTrue(runs.isFull());
        assertEquals(3, runs.totalPages());
    }

    @Test
    void shouldBeEmptyAfterClearing() {
        final PageRuns runs = new PageRuns(1);
        runs.add(7, 1);
        runs.clear();
        assertEquals(0, runs.size());
        assertEquals(0, runs.totalPages());
        assertFalse(runs.isFull());
        runs.add(8, 1);
        assertEquals(8, runs.firstPage(0));
    }
}
