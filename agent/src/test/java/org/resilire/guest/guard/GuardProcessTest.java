package org.resilire.guest.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.resilire.guest.qemu.QmpConnection;
import org.resilire.guest.qemu.QmpEvent;
import org.resilire.guest.qemu.RunState;
import org.resilire.guest.qemu.TestQemu;
import org.resilire.linux.MappedFile;

/** The agent is a process that sleeps; the guest is real. */
class GuardProcessTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    /** What is promised. */
    private static final long RESUME_MILLIS = 100;

    private static final long FLAG_OFFSET = 64;
    private static final long END_SECONDS = 60;

    private TestQemu qemu;
    private Process agent;
    private MappedFile flagFile;
    private PausedFlag flag;
    private Path log;

    @BeforeEach
    void start() throws IOException {
        qemu = TestQemu.start();
        agent = new ProcessBuilder("sleep", "120").start();
        flagFile = MappedFile.create(qemu.directory().resolve("flag"), 4096);
        flag = new PausedFlag(flagFile.segment(), FLAG_OFFSET);
        log = qemu.directory().resolve("guard.log");
    }

    @AfterEach
    void stop() {
        agent.destroyForcibly();
        flagFile.close();
        qemu.close();
    }

    private GuardProcess startGuard(final Duration limit, final Runnable onDeath) {
        return GuardProcess.start(
                new GuardOptions(agent.pid(), qemu.qmpSocket(), flagFile.path(), FLAG_OFFSET, limit), log, onDeath);
    }

    @Test
    void shouldResumeAGuestThatADeadAgentHadPaused() throws Exception {
        try (GuardProcess guard = startGuard(LIMIT, () -> {})) {
            try (QmpConnection qmp = QmpConnection.open(qemu.qmpSocket(), LIMIT.toNanos())) {
                qmp.execute("stop", Map.of(), LIMIT.toNanos());
            }
            flag.pausedByAgent(true);
            agent.destroyForcibly();
            awaitEnd(guard);
            assertEquals(
                    "running",
                    qemu.execute("query-status", Map.of()).path("status").asString(""));
            final String said = Files.readString(log);
            assertTrue(said.contains("resumed the guest"), said);
            assertTrue(millisIn(said) < RESUME_MILLIS, said);
        }
    }

    @Test
    void shouldLeaveAGuestAloneThatTheAgentHadNotPaused() throws Exception {
        qemu.execute("stop", Map.of());
        flag.pausedByAgent(true);
        flag.pausedByAgent(false);
        try (GuardProcess guard = startGuard(LIMIT, () -> {})) {
            agent.destroyForcibly();
            awaitEnd(guard);
            assertEquals(
                    "paused",
                    qemu.execute("query-status", Map.of()).path("status").asString(""));
            assertTrue(Files.readString(log).contains("nothing to do"));
        }
    }

    @Test
    void shouldNotResumeAfterTheLimit() throws Exception {
        qemu.execute("stop", Map.of());
        flag.pausedByAgent(true);
        try (GuardProcess guard = startGuard(Duration.ZERO, () -> {})) {
            agent.destroyForcibly();
            awaitEnd(guard);
            assertEquals(
                    "paused",
                    qemu.execute("query-status", Map.of()).path("status").asString(""));
            assertTrue(Files.readString(log).contains("may have taken over"), Files.readString(log));
        }
    }

    @Test
    void shouldTryUntilTheAgentsConnectionIsGone() throws Exception {
        try (GuardProcess guard = startGuard(LIMIT, () -> {})) {
            try (QmpConnection qmp = QmpConnection.open(qemu.qmpSocket(), LIMIT.toNanos())) {
                qmp.execute("stop", Map.of(), LIMIT.toNanos());
                flag.pausedByAgent(true);
                agent.destroyForcibly();
                Thread.sleep(100);
                assertEquals(RunState.PAUSED, qmp.runState(LIMIT.toNanos()));
                assertEquals(0, qmp.eventCount(QmpEvent.RESUME));
            }
            awaitEnd(guard);
            assertEquals(
                    "running",
                    qemu.execute("query-status", Map.of()).path("status").asString(""));
        }
    }

    @Test
    void shouldEndInOrder() throws Exception {
        final CountDownLatch died = new CountDownLatch(1);
        final GuardProcess guard = startGuard(LIMIT, died::countDown);
        assertTrue(guard.isAlive());
        guard.close();
        assertFalse(guard.isAlive());
        assertTrue(Files.readString(log).contains("ended in order"), Files.readString(log));
        assertEquals(1, died.getCount());
    }

    @Test
    void shouldNoticeThatTheGuardDied() throws Exception {
        final CountDownLatch died = new CountDownLatch(1);
        try (GuardProcess guard = startGuard(LIMIT, died::countDown)) {
            ProcessHandle.of(guard.pid()).orElseThrow().destroyForcibly();
            assertTrue(died.await(END_SECONDS, TimeUnit.SECONDS));
        }
    }

    private static void awaitEnd(final GuardProcess guard) throws InterruptedException {
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        while (guard.isAlive()) {
            assertTrue(System.nanoTime() < deadline, "the guard does not end");
            Thread.sleep(1);
        }
    }

    private static double millisIn(final String said) {
        final int end = said.indexOf(" ms after");
        return Double.parseDouble(said.substring(said.lastIndexOf(' ', end - 1) + 1, end));
    }
}
