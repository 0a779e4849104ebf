package org.resilire.guest.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.PageRuns;
import org.resilire.linux.MemoryMaps.Mapping;

class DirtyTrackerProbeTest {

    private record Works(TrackerChoice choice) implements DirtyTrackerProbe.Candidate {
        @Override
        public DirtyTracker open() {
            return new ComparingTracker(1);
        }
    }

    private record Fails(TrackerChoice choice, String why) implements DirtyTrackerProbe.Candidate {
        @Override
        public DirtyTracker open() throws DirtyTrackerProbe.UnavailableException {
            throw new DirtyTrackerProbe.UnavailableException(why);
        }
    }

    @Test
    void shouldTakeTheFirstThatWorks() {
        final DirtyTrackerProbe.Result result = DirtyTrackerProbe.choose(
                TrackerChoice.AUTO,
                List.of(new Works(TrackerChoice.WRITE_PROTECT), new Fails(TrackerChoice.COMPARE, "never asked")));
        assertEquals("compare", result.reason());
    }

    @Test
    void shouldSayWhyNotABetterOne() {
        final DirtyTrackerProbe.Result result = DirtyTrackerProbe.choose(
                TrackerChoice.AUTO,
                List.of(
                        new Fails(TrackerChoice.WRITE_PROTECT, "the kernel is old"),
                        new Fails(TrackerChoice.SOFT_DIRTY, "it is not compiled in"),
                        new Works(TrackerChoice.COMPARE)));
        assertEquals(
                "compare; not write-protect: the kernel is old; not soft-dirty: it is not compiled in",
                result.reason());
    }

    @Test
    void shouldNotReplaceAForcedChoice() {
        final AttachException e = assertThrows(
                AttachException.class,
                () -> DirtyTrackerProbe.choose(
                        TrackerChoice.SOFT_DIRTY,
                        List.of(
                                new Works(TrackerChoice.WRITE_PROTECT),
                                new Fails(TrackerChoice.SOFT_DIRTY, "it is not compiled in"),
                                new Works(TrackerChoice.COMPARE))));
        assertEquals(AttachProblem.TRACKER_UNAVAILABLE, e.problem());
        assertTrue(e.getMessage().contains("it is not compiled in"), e.getMessage());
    }

    @Test
    void shouldReportEveryPageWhenComparing() {
        final PageRuns runs = new PageRuns(1);
        try (ComparingTracker tracker = new ComparingTracker(77)) {
            assertTrue(tracker.collect(runs));
            assertTrue(tracker.collect(runs));
        }
        assertEquals(0, runs.firstPage(0));
        assertEquals(77, runs.totalPages());
    }

    @Test
    void shouldFindTheChoiceOfAnOption() {
        for (final TrackerChoice choice : TrackerChoice.values()) {
            assertEquals(choice, TrackerChoice.of(choice.optionName()));
        }
        assertThrows(IllegalArgumentException.class, () -> TrackerChoice.of("best"));
    }

    @Test
    void shouldFindThePageOfAnAddressInASplitMapping() {
        final Mapping high = mapping(0x7000_0000L, 0x7000_4000L, 0);
        final Mapping low = mapping(0x1000_0000L, 0x1000_2000L, 0x4000);
        final RamMapping ram = RamMapping.of(1, List.of(low, high));
        assertEquals(2, ram.size());
        assertEquals(1, ram.pageAt(0, 0x7000_1000L));
        assertEquals(5, ram.pageAt(1, 0x1000_1000L));
    }

    @Test
    void shouldRefuseMemoryMappedTwice() {
        assertThrows(
                RuntimeException.class,
                () -> RamMapping.of(1, List.of(mapping(0x1000, 0x3000, 0), mapping(0x8000, 0xa000, 0x1000))));
    }

    private static Mapping mapping(final long start, final long end, final long offset) {
        return new Mapping(start, end, "rw-s", offset, 7, "00:1b", "/dev/shm/ram");
    }
}
