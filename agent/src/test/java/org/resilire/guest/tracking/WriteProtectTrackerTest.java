package org.resilire.guest.tracking;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;
import org.resilire.guest.qemu.QemuGuest;
import org.resilire.guest.qemu.TestQemu;
import org.resilire.synthetic.Await;

/** Against the oracle: a copy of all of RAM taken at every pause. */
class WriteProtectTrackerTest {

    private static final int EPOCHS = 30;
    /** At least. */
    private static final int PAGES_AN_EPOCH = 20;

    @ParameterizedTest
    @CsvSource({"1, 8192, 1", "2, 8192, 1", "2, 3, 1", "1, 8192, 2", "2, 3, 3"})
    void shouldMissNoPageThatAGuestWrote(final int cpus, final int runCapacity, final int scanThreads) {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().withCpus(cpus));
                QemuGuest guest = QemuGuest.attach(
                        qemu.config().withTracker(TrackerChoice.WRITE_PROTECT).withScanThreads(scanThreads));
                Arena arena = Arena.ofConfined()) {
            final MemorySegment ram = guest.memory().segment();
            final MemorySegment copy = arena.allocate(ram.byteSize());
            final PageRuns runs = new PageRuns(runCapacity);
            guest.pause();
            guest.dirtyTracker().arm();
            copy.copyFrom(ram);
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                guest.resume();
                Await.until("the guest writes", () -> changedPages(ram, copy).cardinality() >= PAGES_AN_EPOCH);
                guest.pause();
                final BitSet reported = collect(guest.dirtyTracker(), runs);
                final BitSet changed = changedPages(ram, copy);
                final int onlyReported = reported.cardinality();
                changed.andNot(reported);
                assertTrue(changed.isEmpty(), "missed in epoch " + epoch + ": " + changed);
                assertTrue(onlyReported < guest.memory().pageCount() / 2, "reports nearly everything");
                copy.copyFrom(ram);
            }
            assertTrue(collect(guest.dirtyTracker(), runs).isEmpty(), "reports pages of a paused guest");
        }
    }

    @Test
    void shouldReportAgainWhatIsWrittenWhileCollecting() throws InterruptedException {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().withCpus(2));
                QemuGuest guest = QemuGuest.attach(qemu.config().withTracker(TrackerChoice.WRITE_PROTECT));
                Arena arena = Arena.ofConfined()) {
            final MemorySegment ram = guest.memory().segment();
            final MemorySegment copy = arena.allocate(ram.byteSize());
            final PageRuns runs = new PageRuns(7);
            guest.dirtyTracker().arm();
            copyPages(ram, copy, 0, guest.memory().pageCount());
            // As a first synchronisation does: page by page from a guest that never stops.
            for (int round = 0; round < EPOCHS; round++) {
                Thread.sleep(2);
                boolean isComplete;
                do {
                    isComplete = guest.dirtyTracker().collect(runs);
                    copyRuns(ram, copy, runs);
                } while (!isComplete);
            }
            guest.pause();
            boolean isComplete;
            do {
                isComplete = guest.dirtyTracker().collect(runs);
                copyRuns(ram, copy, runs);
            } while (!isComplete);
            assertEquals(-1, ram.mismatch(copy));
        }
    }

    @Test
    void shouldSayThatAnotherAgentTracksTheGuest() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest first = QemuGuest.attach(qemu.config().withTracker(TrackerChoice.WRITE_PROTECT))) {
            assertFalse(first.hasExited());
            final RamMapping ram = RamMappings.of(qemu.pid(), qemu.ramFile());
            final AttachException e = assertThrows(
                    AttachException.class,
                    () -> DirtyTrackerProbe.open(
                            TrackerChoice.AUTO, 1, ram, first.memory().pageCount(), () -> 0));
            assertEquals(AttachProblem.ALREADY_TRACKED, e.problem());
        }
    }

    @Test
    void shouldLeaveTheGuestFreeForTheNextTracker() {
        try (TestQemu qemu = TestQemu.start()) {
            for (int i = 0; i < 3; i++) {
                try (QemuGuest guest = QemuGuest.attach(qemu.config().withTracker(TrackerChoice.WRITE_PROTECT))) {
                    guest.dirtyTracker().arm();
                    assertEquals(
                            WriteProtectTracker.MECHANISM, guest.dirtyTracker().mechanism());
                }
            }
        }
    }

    private static BitSet collect(final DirtyTracker tracker, final PageRuns runs) {
        final BitSet pages = new BitSet();
        boolean isComplete;
        do {
            isComplete = tracker.collect(runs);
            for (int i = 0; i < runs.size(); i++) {
                final int first = (int) runs.firstPage(i);
                pages.set(first, first + (int) runs.pageCount(i));
            }
        } while (!isComplete);
        return pages;
    }

    private static BitSet changedPages(final MemorySegment ram, final MemorySegment copy) {
        final BitSet changed = new BitSet();
        for (long offset = 0; offset < ram.byteSize(); offset += GuestMemory.PAGE_BYTES) {
            final long end = offset + GuestMemory.PAGE_BYTES;
            if (MemorySegment.mismatch(ram, offset, end, copy, offset, end) >= 0) {
                changed.set((int) (offset / GuestMemory.PAGE_BYTES));
            }
        }
        return changed;
    }

    private static void copyRuns(final MemorySegment ram, final MemorySegment copy, final PageRuns runs) {
        for (int i = 0; i < runs.size(); i++) {
            copyPages(ram, copy, runs.firstPage(i), runs.pageCount(i));
        }
    }

    private static void copyPages(
            final MemorySegment ram, final MemorySegment copy, final long first, final long count) {
        final long offset = first * GuestMemory.PAGE_BYTES;
        MemorySegment.copy(ram, JAVA_BYTE, offset, copy, JAVA_BYTE, offset, count * GuestMemory.PAGE_BYTES);
    }
}
