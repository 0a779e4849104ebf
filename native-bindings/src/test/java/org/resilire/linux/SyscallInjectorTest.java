package org.resilire.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Injection into real processes, which must go on as if nothing had happened. */
@Timeout(60)
class SyscallInjectorTest {
    private static final long SYS_GETPPID = 110;
    private static final String SYS_READ = "0";
    private static final String SYS_PPOLL = "271";
    private static final String SYS_CLOCK_NANOSLEEP = "230";
    private static final int SIGUSR1 = 10;
    private static final int SIGSTOP = 19;
    private static final int SIGCONT = 18;
    private static final long LONG_NANOS = 20_000_000_000L;

    /** Until there is a file named by {@code stop}. */
    private static final String RECKON = "BEGIN { s = 1; while ((getline line < stop) < 0) {"
            + " for (i = 0; i < 50000; i++) { s = (s * 1103515245 + 12345) % 2147483648 } rounds++ }"
            + " printf \"end %d %.0f\\n\", rounds, s }";

    @TempDir
    Path directory;

    @BeforeEach
    void needPtrace() {
        Requires.capability(Capability.CAP_SYS_PTRACE);
    }

    @Test
    void shouldExecuteSystemCallsInTheTarget() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            String blockedSignals = target.statusLine("SigBlk");
            try (SyscallInjector injector = SyscallInjector.attach(target.pid())) {
                assertEquals(target.pid(), injector.inject(SystemCallNumbers.SYS_GETPID));
                assertNotEquals(target.pid(), injector.inject(SYS_GETPPID));
                assertEquals(-Errno.EBADF.number(), injector.inject(SystemCallNumbers.SYS_CLOSE, 12345));
            }
            awaitIn(target, "219", SYS_CLOCK_NANOSLEEP);
            assertEquals(blockedSignals, target.statusLine("SigBlk"));
            assertFalse(target.pidFd().hasExited());
        }
    }

    @Test
    void shouldLetASleepEndAtItsTime() {
        long start = System.nanoTime();
        try (Target target = Target.shell(directory, "exec sleep 2")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            int injected = 0;
            try {
                for (; injected < 20; injected++) {
                    injectGetpid(target);
                }
            } catch (LinuxException ended) {
                // This test was off its processor meanwhile.
                assertEquals(Errno.ESRCH, ended.errno());
            }
            assertTrue(injected > 0);
            assertTrue(target.pidFd().awaitExit(LONG_NANOS));
            double seconds = (System.nanoTime() - start) / 1e9;
            assertTrue(seconds > 1.9, "a sleep of 2 s took " + seconds);
        }
    }

    @Test
    void shouldLetAReadGoOn() throws Exception {
        Path pipe = directory.resolve("pipe");
        Process mkfifo = new ProcessBuilder("mkfifo", pipe.toString()).start();
        assertEquals(0, mkfifo.waitFor());
        try (FileDescriptor writer = FileDescriptor.open(pipe, Fcntl.O_RDWR);
                Target target = Target.shell(
                        directory, "echo ready; read line < " + pipe + "; echo got $line; exec sleep 1000")) {
            // A program that starts reads, too.
            Target.await("the shell", () -> target.output().contains("ready"));
            awaitIn(target, SYS_READ);
            for (int i = 0; i < 20; i++) {
                injectGetpid(target);
                awaitIn(target, SYS_READ);
            }
            Files.writeString(pipe, "something\n");
            Target.await("the read to return", () -> target.output().contains("got something"));
            assertTrue(writer.isOpen());
        }
    }

    @Test
    void shouldLetAPpollGoOn() throws Exception {
        Path socket = directory.resolve("q");
        // QEMU's main loop sits in ppoll: QEMU itself, without a machine to speak of.
        try (Target target = Target.start(
                directory,
                "qemu-system-x86_64",
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none",
                "-qmp",
                "unix:" + socket + ",server=on,wait=off")) {
            Target.await("QEMU to have started", () -> Files.exists(socket));
            awaitIn(target, SYS_PPOLL);
            for (int i = 0; i < 50; i++) {
                injectGetpid(target);
            }
            awaitIn(target, SYS_PPOLL);
            try (UnixStreamSocket qmp = UnixStreamSocket.connect(socket);
                    AnonymousMemory memory = AnonymousMemory.reserve("a greeting", 4096)) {
                assertTrue(qmp.awaitReadable(LONG_NANOS));
                assertTrue(qmp.read(memory.segment(), 0, 4096) > 0);
            }
        }
    }

    @Test
    void shouldGoOnComputingUnharmed() throws IOException {
        // A busy loop, interrupted wherever it happens to be: a register or flag not restored shows in the result.
        Path stop = directory.resolve("stop");
        try (Target target = Target.start(directory, "awk", "-v", "stop=" + stop, RECKON)) {
            // What starts it becomes another program once: an injection must not fall just there.
            Target.await("awk to run", () -> target.statusLine("Name:").endsWith("awk"));
            for (int i = 0; i < 300; i++) {
                injectGetpid(target);
                LockSupport.parkNanos(1_000_000);
            }
            Files.createFile(stop);
            Target.await("awk to end", () -> target.output().endsWith("\n"));
            String[] said = target.output().strip().split(" ");
            assertEquals("end " + said[1] + " " + reckon(Integer.parseInt(said[1])), String.join(" ", said));
        }
    }

    @Test
    void shouldDeliverSignalsThatArriveMeanwhile() {
        String script = "n=0; trap 'n=$((n+1)); echo n$n' USR1; echo ready; while :; do sleep 0.01; done";
        try (Target target = Target.shell(directory, script)) {
            Target.await("the trap", () -> target.output().contains("ready"));
            for (int i = 1; i <= 20; i++) {
                try (SyscallInjector injector = SyscallInjector.attach(target.pid())) {
                    target.pidFd().sendSignal(SIGUSR1);
                    assertEquals(target.pid(), injector.inject(SystemCallNumbers.SYS_GETPID));
                }
                String expected = "n" + i + "\n";
                Target.await("signal " + i, () -> target.output().contains(expected));
            }
        }
    }

    @Test
    void shouldLeaveAStoppedProcessStopped() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            target.pidFd().sendSignal(SIGSTOP);
            Target.await("the stop", () -> target.state().equals("T"));
            injectGetpid(target);
            Target.await("stopped again", () -> target.state().equals("T"));
            target.pidFd().sendSignal(SIGCONT);
            Target.await("running again", () -> target.state().equals("S"));
        }
    }

    @Test
    void shouldHonourAStopThatArrivesMeanwhile() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            try (SyscallInjector injector = SyscallInjector.attach(target.pid())) {
                target.pidFd().sendSignal(SIGSTOP);
                assertEquals(target.pid(), injector.inject(SystemCallNumbers.SYS_GETPID));
                assertEquals(target.pid(), injector.inject(SystemCallNumbers.SYS_GETPID));
            }
            Target.await("the stop", () -> target.state().equals("T"));
            target.pidFd().sendSignal(SIGCONT);
            Target.await("running again", () -> target.state().equals("S"));
        }
    }

    @Test
    void shouldReportATargetThatDies() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            SyscallInjector injector = SyscallInjector.attach(target.pid());
            target.pidFd().sendSignal(9);
            assertTrue(target.pidFd().awaitExit(LONG_NANOS));
            LinuxException failure = assertThrows(LinuxException.class, () -> injector.inject(39));
            assertEquals(Errno.ESRCH, failure.errno());
            injector.close();
        }
    }

    @Test
    void shouldSayThatAProcessIsEndingWhoseMemoryGoesWhileItIsRead() {
        try (Target target = Target.start(directory, "sleep", "1000");
                FileDescriptor targetMemory = Ptrace.openMemory(target.pid());
                AnonymousMemory page = AnonymousMemory.reserve("a page", 4096)) {
            target.pidFd().kill();
            assertTrue(target.pidFd().awaitExit(LONG_NANOS));
            LinuxException failure =
                    assertThrows(LinuxException.class, () -> Ptrace.readMemory(targetMemory, 4096, page.segment()));
            assertEquals(Errno.ESRCH, failure.errno());
        }
    }

    @Test
    void shouldRefuseAChildOfThisJvm() throws Exception {
        Process child = new ProcessBuilder("sleep", "1000").start();
        try {
            IllegalStateException refused =
                    assertThrows(IllegalStateException.class, () -> SyscallInjector.attach(child.pid()));
            assertTrue(refused.getMessage().contains("child of this JVM"), refused.getMessage());
            assertFalse(child.waitFor(50, TimeUnit.MILLISECONDS));
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldRefuseAProcessThatIsTracedAlready() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            try (SyscallInjector first = SyscallInjector.attach(target.pid())) {
                LinuxException failure = assertThrows(
                        LinuxException.class,
                        () -> OnOwnThread.call("second", () -> SyscallInjector.attach(target.pid())));
                assertEquals("PTRACE_SEIZE", failure.call());
                assertEquals(target.pid(), first.inject(SystemCallNumbers.SYS_GETPID));
            }
        }
    }

    @Test
    void shouldLetGoWhenTheTracingThreadEnds() {
        try (Target target = Target.start(directory, "sleep", "1000")) {
            awaitIn(target, SYS_CLOCK_NANOSLEEP);
            OnOwnThread.call("careless", () -> SyscallInjector.attach(target.pid()));
            Target.await("sleeping again", () -> target.state().equals("S"));
            injectGetpid(target);
        }
    }

    private static void injectGetpid(Target target) {
        try (SyscallInjector injector = SyscallInjector.attach(target.pid())) {
            assertEquals(target.pid(), injector.inject(SystemCallNumbers.SYS_GETPID));
        }
    }

    private static void awaitIn(Target target, String... systemCalls) {
        Target.await(
                target.pid() + " to wait in " + String.join(" or ", systemCalls) + ", not " + target.systemCall(),
                () -> List.of(systemCalls).contains(target.systemCall()));
    }

    /** What {@link #RECKON} has after so many rounds. */
    private static String reckon(int rounds) {
        double state = 1;
        for (long i = 0; i < 50_000L * rounds; i++) {
            state = (state * 1103515245 + 12345) % 2147483648.0;
        }
        return String.format("%.0f", state);
    }
}
