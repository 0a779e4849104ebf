package org.resilire.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class FenceTest {

    private static final long AMPLE_NANOS = TimeUnit.SECONDS.toNanos(30);

    @TempDir
    Path directory;

    private Fence.Result run(final String command, final long timeoutNanos) {
        return new Fence(command, timeoutNanos, directory.resolve("fence.log")).run();
    }

    @Test
    void shouldBelieveStatusZeroAndNothingElse() throws IOException {
        final Fence.Result result = run("echo powered off; echo really >&2", AMPLE_NANOS);
        assertTrue(result.proven(), result::explanation);
        assertEquals("powered off\nreally\n", Files.readString(directory.resolve("fence.log")));
    }

    @ParameterizedTest
    @CsvSource({
        "exit 1, ended with status 1",
        "echo one; echo the switch does not answer >&2; echo; exit 7, ended with status 7: the switch does not answer",
        "kill -KILL $$, ended with status 137",
        "/nowhere/power-off, ended with status 127: ",
        "printf '\\377\\376 no text'; exit 3, ended with status 3: ",
    })
    void shouldSayWhyNothingIsProven(final String command, final String expected) {
        final Fence.Result result = run(command, AMPLE_NANOS);
        assertFalse(result.proven());
        assertTrue(result.explanation().contains(expected), result::explanation);
    }

    @Test
    void shouldNotReadAllThatAChattyCommandPrints() {
        final Fence.Result result =
                run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 2", AMPLE_NANOS);
        assertTrue(result.explanation().endsWith("status 2: line 1999"), result::explanation);
    }

    @Test
    void shouldKillACommandThatTakesTooLongAndItsChildren() throws IOException, InterruptedException {
        final Path pids = directory.resolve("pids");
        final Fence.Result result = run(
                "sh -c 'echo $$ >>" + pids + "; sleep 600; true' & echo $! >>" + pids
                        + "; echo asking the switch; sleep 600; true",
                // Enough to say all that, too.
                TimeUnit.SECONDS.toNanos(5));
        assertFalse(result.proven());
        assertTrue(result.explanation().contains("did not end within 5000 ms"), result::explanation);
        assertTrue(result.explanation().contains("asking the switch"), result::explanation);
        for (final String pid : Files.readAllLines(pids)) {
            assertEnds(Long.parseLong(pid));
        }
    }

    @Test
    void shouldNotTakeAnInterruptionForAProof() {
        Thread.currentThread().interrupt();
        final Fence.Result result = run("sleep 600", AMPLE_NANOS);
        assertTrue(Thread.interrupted());
        assertFalse(result.proven());
    }

    @Test
    void shouldNotTakeALogThatCannotBeWrittenForAProof() {
        final Fence.Result result = new Fence("true", AMPLE_NANOS, directory.resolve("missing/fence.log")).run();
        assertFalse(result.proven());
        assertTrue(result.explanation().contains("did not start"), result::explanation);
    }

    private static void assertEnds(final long pid) throws InterruptedException {
        final long deadline = System.nanoTime() + AMPLE_NANOS;
        while (ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent()) {
            assertTrue(System.nanoTime() < deadline, "process " + pid + " still runs");
            Thread.sleep(5);
        }
    }
}
