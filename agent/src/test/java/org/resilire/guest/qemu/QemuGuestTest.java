package org.resilire.guest.qemu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.GuestException;
import org.resilire.guest.PageRuns;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.linux.PidFd;
import org.resilire.synthetic.Garbage;

class QemuGuestTest {

    /** For what never comes. */
    private static final Duration SHORT = Duration.ofMillis(300);
    /** For what comes, late perhaps, and once does not. */
    private static final Duration LONGER = Duration.ofSeconds(2);

    private static final long AMPLE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final int SIGCONT = 18;
    private static final int SIGSTOP = 19;
    private static final int STATE_CAPACITY = 4 << 20;

    @Test
    void shouldCheckpointARunningGuest() {
        final List<Boolean> marks = new ArrayList<>();
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config().withPausedMarker(marks::add));
                Arena arena = Arena.ofConfined()) {
            final MemorySegment state = arena.allocate(STATE_CAPACITY);
            guest.dirtyTracker().arm();
            guest.pause();
            assertEquals(RunState.PAUSED, guest.runState());
            guest.beginDeviceStateSave();
            final int length = guest.finishDeviceStateSave(state);
            guest.resume();
            assertEquals(RunState.RUNNING, guest.runState());
            assertTrue(length > 10_000, "a device state of " + length + " bytes");
            assertEquals("QEVM", new String(state.asSlice(0, 4).toArray(JAVA_BYTE), US_ASCII));
            assertEquals(List.of(true, false), marks);
        }
    }

    @Test
    void shouldGoOnWithAQemuThatDidNotAnswerForAWhile() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config().withTimeouts(LONGER, LONGER));
                PidFd process = PidFd.open(guest.pid())) {
            process.sendSignal(SIGSTOP);
            assertThrows(GuestException.class, guest::pause);
            assertFalse(guest.recover());
            process.sendSignal(SIGCONT);
            final long deadlineNanos = System.nanoTime() + AMPLE_NANOS;
            while (!guest.recover()) {
                assertTrue(System.nanoTime() < deadlineNanos, "QEMU does not answer again");
            }
            assertEquals(RunState.RUNNING, guest.runState());
            guest.pause();
            assertEquals(RunState.PAUSED, guest.runState());
            guest.resume();
            assertEquals(RunState.RUNNING, guest.runState());
        }
    }

    @Test
    void shouldAllocateNothingInACheckpoint() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config());
                Arena arena = Arena.ofConfined()) {
            final MemorySegment state = arena.allocate(STATE_CAPACITY);
            final PageRuns runs = new PageRuns(8192);
            guest.dirtyTracker().arm();
            // Downcalls allocate until the second compiler has seen them often enough; questions are cheaper than
            // checkpoints.
            guest.pause();
            for (int i = 0; i < 6_000; i++) {
                guest.runState();
                guest.dirtyTracker().collect(runs);
            }
            guest.resume();
            Garbage.assertBelow(1, "100 checkpoints", () -> checkpoints(guest, state, runs, 100));
        }
    }

    private static void checkpoints(
            final QemuGuest guest, final MemorySegment state, final PageRuns runs, final int count) {
        for (int i = 0; i < count; i++) {
            guest.pause();
            guest.beginDeviceStateSave();
            guest.dirtyTracker().collect(runs);
            guest.finishDeviceStateSave(state);
            guest.resume();
        }
    }

    @Test
    void shouldResumeAGuestThatItPausedWhenItLeaves() {
        try (TestQemu qemu = TestQemu.start()) {
            try (QemuGuest guest = QemuGuest.attach(qemu.config())) {
                guest.pause();
                guest.beginDeviceStateSave();
            }
            assertEquals("running", status(qemu));
        }
    }

    @Test
    void shouldResumeAGuestThatItHeldPausedBeforeTheCheckpoint() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config())) {
            guest.pause();
            guest.pause();
            guest.resume();
            assertEquals(RunState.RUNNING, guest.runState());
        }
    }

    @Test
    void shouldNotResumeAGuestThatSomebodyElsePaused() throws IOException {
        final Path second = Files.createTempDirectory("resilire-test").resolve("second");
        try (TestQemu qemu =
                TestQemu.start(new TestQemu.Options().with("-qmp", "unix:" + second + ",server=on,wait=off"))) {
            try (QemuGuest guest = QemuGuest.attach(qemu.config())) {
                try (QmpConnection other = QmpConnection.open(second, AMPLE_NANOS)) {
                    other.execute("stop", Map.of(), AMPLE_NANOS);
                }
                guest.pause();
                guest.resume();
                assertEquals(RunState.PAUSED, guest.runState());
            }
            assertEquals("paused", status(qemu));
        } finally {
            Files.deleteIfExists(second);
            Files.delete(second.getParent());
        }
    }

    @Test
    void shouldEndThePauseInWhichADeadAgentLeftTheGuest() {
        try (TestQemu qemu = TestQemu.start()) {
            qemu.execute("stop", Map.of());
            try (QemuGuest guest = QemuGuest.attach(qemu.config().withPauseInherited(true))) {
                assertTrue(guest.isPaused());
                assertEquals(RunState.PAUSED, guest.runState());
                guest.pause();
                guest.resume();
                assertEquals(RunState.RUNNING, guest.runState());
            }
        }
    }

    /** Another host may run it by now: an agent that fails at its start must not be what ends the pause. */
    @Test
    void shouldNotEndBecauseItEndsThePauseInWhichADeadAgentLeftTheGuest() {
        try (TestQemu qemu = TestQemu.start()) {
            qemu.execute("stop", Map.of());
            QemuGuest.attach(qemu.config().withPauseInherited(true)).close();
            assertEquals("paused", status(qemu));
        }
    }

    @Test
    void shouldVoidACheckpointDuringWhichSomebodyElseResumedTheGuest() throws IOException {
        final Path second = Files.createTempDirectory("resilire-test").resolve("second");
        try (TestQemu qemu =
                        TestQemu.start(new TestQemu.Options().with("-qmp", "unix:" + second + ",server=on,wait=off"));
                QemuGuest guest = QemuGuest.attach(qemu.config())) {
            guest.pause();
            try (QmpConnection other = QmpConnection.open(second, AMPLE_NANOS)) {
                other.execute("cont", Map.of(), AMPLE_NANOS);
            }
            assertThrows(GuestException.class, guest::resume);
            guest.pause();
            guest.resume();
            assertEquals(RunState.RUNNING, guest.runState());
        } finally {
            Files.deleteIfExists(second);
            Files.delete(second.getParent());
        }
    }

    @Test
    void shouldStopForGood() {
        final List<Boolean> marks = new ArrayList<>();
        try (TestQemu qemu = TestQemu.start()) {
            try (QemuGuest guest = QemuGuest.attach(qemu.config().withPausedMarker(marks::add))) {
                guest.stopForGood();
                guest.resume();
                assertThrows(IllegalStateException.class, guest::pause);
            }
            assertEquals("paused", status(qemu));
            assertEquals(List.of(false), marks);
            final AttachException e = assertThrows(AttachException.class, () -> QemuGuest.attach(qemu.config()));
            assertEquals(AttachProblem.NOT_RUNNING, e.problem());
        }
    }

    @Test
    void shouldNoticeThatTheGuestIsGone() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config())) {
            assertFalse(guest.hasExited());
            qemu.kill();
            assertTrue(guest.hasExited());
            final QmpException e = assertThrows(QmpException.class, guest::pause);
            assertEquals(QmpException.Failure.CLOSED, e.failure());
            guest.stopForGood();
        }
    }

    @Test
    void shouldEndTheProcessThatItIsAttachedToAndKnowWhenItHas() {
        try (TestQemu qemu = TestQemu.start();
                QemuGuest guest = QemuGuest.attach(qemu.config())) {
            assertFalse(guest.hasExited());
            assertTrue(guest.end(TimeUnit.SECONDS.toNanos(20)));
            assertTrue(guest.hasExited());
            assertTrue(guest.end(0), "it has ended before");
        }
    }

    @Test
    void shouldRefuseASocketThatIsNotThere() {
        try (TestQemu qemu = TestQemu.start()) {
            final Path nowhere = qemu.directory().resolve("nowhere");
            assertProblem(
                    AttachProblem.NO_QMP_SOCKET,
                    new QemuGuestConfig(
                            nowhere, qemu.ramFile(), qemu.directory().resolve("state")));
        }
    }

    @Test
    void shouldRefuseASocketThatServesSomebodyElse() {
        try (TestQemu qemu = TestQemu.start();
                QmpConnection other = QmpConnection.open(qemu.qmpSocket(), AMPLE_NANOS)) {
            assertProblem(AttachProblem.QMP_BUSY, qemu.config().withTimeouts(SHORT, SHORT));
            assertTrue(other.isOpen());
        }
    }

    @Test
    void shouldRefuseAHumanMonitor() throws IOException {
        final Path monitor = Files.createTempDirectory("resilire-test").resolve("monitor");
        try (TestQemu qemu =
                TestQemu.start(new TestQemu.Options().with("-monitor", "unix:" + monitor + ",server=on,wait=off"))) {
            assertProblem(
                    AttachProblem.NOT_QMP,
                    new QemuGuestConfig(
                            monitor, qemu.ramFile(), qemu.directory().resolve("state")));
        } finally {
            Files.deleteIfExists(monitor);
            Files.delete(monitor.getParent());
        }
    }

    @Test
    void shouldRefuseARamFileThatIsNotThere() {
        try (TestQemu qemu = TestQemu.start()) {
            assertProblem(
                    AttachProblem.RAM_FILE_MISSING,
                    new QemuGuestConfig(
                            qemu.qmpSocket(),
                            qemu.directory().resolve("nowhere"),
                            qemu.directory().resolve("state")));
        }
    }

    @Test
    void shouldRefuseARamFileThatNobodyMaps() {
        try (TestQemu qemu = TestQemu.start()) {
            assertProblem(
                    AttachProblem.RAM_NOT_MAPPED,
                    new QemuGuestConfig(
                            qemu.qmpSocket(),
                            qemu.directory().resolve("firmware"),
                            qemu.directory().resolve("state")));
        }
    }

    @Test
    void shouldRefusePrivateRam() {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().withPrivateRam())) {
            assertProblem(AttachProblem.RAM_NOT_SHARED, qemu.config());
        }
    }

    @Test
    void shouldRefuseRamOfAnotherGuest() {
        try (TestQemu qemu = TestQemu.start();
                TestQemu another = TestQemu.start()) {
            assertProblem(
                    AttachProblem.RAM_OF_ANOTHER_GUEST,
                    new QemuGuestConfig(
                            qemu.qmpSocket(),
                            another.ramFile(),
                            qemu.directory().resolve("state")));
        }
    }

    @Test
    void shouldRefuseRamThatSeveralProcessesMap() {
        try (TestQemu qemu = TestQemu.start();
                TestQemu second = TestQemu.startOver(qemu)) {
            assertTrue(second.pid() > 0);
            assertProblem(AttachProblem.RAM_MAPPED_BY_SEVERAL, qemu.config());
        }
    }

    @Test
    void shouldRefuseAGuestWithGraphics() {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().with("-device", "VGA"))) {
            final AttachException e = assertProblem(AttachProblem.MEMORY_NOT_SAVED, qemu.config());
            assertTrue(e.getMessage().contains("vga.vram"), e.getMessage());
        }
    }

    @Test
    void shouldRefuseABalloonUnlessItCompares() {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().with("-device", "virtio-balloon-pci"))) {
            assertProblem(AttachProblem.MEMORY_NOT_SAVED, qemu.config());
            try (QemuGuest guest = QemuGuest.attach(qemu.config().withTracker(TrackerChoice.COMPARE))) {
                assertEquals("compare", guest.dirtyTracker().mechanism());
            }
        }
    }

    @Test
    void shouldRefuseAGuestThatDoesNotRun() {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().with("-S"))) {
            assertProblem(AttachProblem.NOT_RUNNING, qemu.config());
        }
    }

    @Test
    void shouldLeaveNothingOpenAfterARefusal() {
        try (TestQemu qemu = TestQemu.start(new TestQemu.Options().with("-S"))) {
            assertProblem(AttachProblem.NOT_RUNNING, qemu.config());
            // QMP would be busy if the first attempt still held it.
            assertProblem(AttachProblem.NOT_RUNNING, qemu.config());
        }
    }

    private static AttachException assertProblem(final AttachProblem problem, final QemuGuestConfig config) {
        final AttachException e = assertThrows(
                AttachException.class, () -> QemuGuest.attach(config).close());
        assertEquals(problem, e.problem(), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        return e;
    }

    private static String status(final TestQemu qemu) {
        return qemu.execute("query-status", Map.of()).path("status").asString("");
    }
}
