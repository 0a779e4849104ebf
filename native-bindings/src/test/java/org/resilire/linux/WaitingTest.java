package org.resilire.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Polling, events, process descriptors, capabilities and scheduling. */
@Timeout(60)
class WaitingTest {
    private static final long LONG_NANOS = 10_000_000_000L;

    @TempDir
    Path directory;

    @Test
    void shouldTellWhichDescriptorIsReady() {
        try (EventFd one = EventFd.create();
                EventFd two = EventFd.create();
                Poller poller = new Poller(one.number(), two.number())) {
            assertEquals(0, poller.poll(0));
            two.signal();
            two.signal();
            assertEquals(1, poller.poll(LONG_NANOS));
            assertFalse(poller.isReady(0));
            assertTrue(poller.isReady(1));
            one.signal();
            assertEquals(2, poller.poll(-1));
            two.drain();
            two.drain();
            assertEquals(1, poller.poll(0));
            assertFalse(poller.isReady(1));
        }
    }

    @Test
    void shouldWaitAsLongAsAsked() {
        try (EventFd event = EventFd.create();
                Poller poller = new Poller(event.number())) {
            long start = System.nanoTime();
            assertEquals(0, poller.poll(30_000_000));
            assertTrue(System.nanoTime() - start >= 30_000_000);
            Thread.ofPlatform().start(event::signal);
            assertEquals(1, poller.poll(-1));
        }
    }

    @Test
    void shouldNotAllocate() {
        try (EventFd event = EventFd.create();
                Poller poller = new Poller(event.number())) {
            Allocation.assertNone("signal, poll and drain", () -> {
                event.signal();
                if (poller.poll(1_000_000) != 1 || !poller.isReady(0)) {
                    throw new AssertionError("the signal got lost");
                }
                event.drain();
            });
        }
    }

    @Test
    void shouldFollowAProcessToItsEnd() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            PidFd process = target.pidFd();
            assertFalse(process.hasExited());
            assertFalse(process.awaitExit(1_000_000));
            process.sendSignal(15);
            assertTrue(process.awaitExit(LONG_NANOS));
            assertTrue(process.hasExited());
            Target.await("init to reap it", () -> target.state().equals("gone"));
            LinuxException gone = assertThrows(LinuxException.class, () -> process.sendSignal(15));
            assertEquals(
                    "pidfd_send_signal of process " + process.pid() + " failed: ESRCH (No such process)",
                    gone.getMessage());
        }
    }

    @Test
    void shouldDuplicateADescriptorOfAnotherProcess() {
        Requires.capability(Capability.CAP_SYS_PTRACE);
        try (Target target = Target.start(directory, "sleep", "1000");
                FileDescriptor output = target.pidFd().duplicate(1)) {
            assertTrue(output.number() > 2);
            LinuxException none =
                    assertThrows(LinuxException.class, () -> target.pidFd().duplicate(999));
            assertTrue(none.getMessage().startsWith("pidfd_getfd of descriptor 999 of process"), none.getMessage());
            assertEquals(Errno.EBADF, none.errno());
        }
    }

    @Test
    void shouldSetPrioritiesOfTheCallingThreadOnly() {
        Requires.capability(Capability.CAP_SYS_NICE);
        OnOwnThread.call("priorities", () -> {
            Scheduling.setNice(-5);
            Scheduling.setAffinityOfThisThread(0);
            Scheduling.setRealtimePriorityOfThisThread(1);
            assertTrue(Scheduling.isRealtime());
            Scheduling.setRoundRobinPriorityOfThisThread(1);
            assertTrue(Scheduling.isRealtime());
            Scheduling.setNormalPriorityOfThisThread();
            LinuxException wrong =
                    assertThrows(LinuxException.class, () -> Scheduling.setRealtimePriorityOfThisThread(100));
            assertEquals(Errno.EINVAL, wrong.errno());
            return null;
        });
        assertFalse(Scheduling.isRealtime());
    }

    @Test
    void shouldKnowTheCapabilitiesOfTheHeader() {
        assertEquals(12, Capability.CAP_NET_ADMIN.number());
        assertEquals(19, Capability.CAP_SYS_PTRACE.number());
        assertEquals(40, Capability.CAP_CHECKPOINT_RESTORE.number());
        assertEquals(41, Capability.values().length);
        assertEquals(
                41,
                Stream.of(Capability.values())
                        .mapToInt(Capability::number)
                        .distinct()
                        .count());
    }
}
