package org.resilire.testbed.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.control.ProcessIdentity;

class FenceScriptTest {

    @TempDir
    private Path directory;

    private final List<Process> victims = new ArrayList<>();
    private PidFiles pidFiles;
    private Path script;

    @BeforeEach
    void setUp() {
        script = directory.resolve("fence");
        FenceScript.write(script);
        pidFiles = new PidFiles(directory);
    }

    @AfterEach
    void tearDown() {
        victims.forEach(Process::destroyForcibly);
    }

    @Test
    void shouldKillAllRecordedProcesses() throws Exception {
        final Process first = victim();
        final Process second = victim();
        pidFiles.write("first", ProcessIdentity.of(first.pid()).orElseThrow());
        pidFiles.write("second", ProcessIdentity.of(second.pid()).orElseThrow());

        assertEquals(0, fence("first", "second"));

        assertTrue(first.waitFor(30, TimeUnit.SECONDS));
        assertTrue(second.waitFor(30, TimeUnit.SECONDS));
    }

    @Test
    void shouldSucceedWhenTheProcessesAreGone() throws Exception {
        final Process victim = victim();
        pidFiles.write("victim", ProcessIdentity.of(victim.pid()).orElseThrow());
        victim.destroyForcibly().waitFor();

        assertEquals(0, fence("victim"));
    }

    @Test
    void shouldFailWithoutARecordForThatProvesNothing() throws Exception {
        assertNotEquals(0, fence("missing"));
    }

    @Test
    void shouldSpareAnotherProcessThatGotTheNumber() throws Exception {
        final Process other = victim();
        final ProcessIdentity identity = ProcessIdentity.of(other.pid()).orElseThrow();
        pidFiles.write("victim", new ProcessIdentity(identity.pid(), identity.startTicks() - 1));

        assertEquals(0, fence("victim"));

        assertFalse(other.waitFor(100, TimeUnit.MILLISECONDS));
    }

    private Process victim() throws IOException {
        // A name with blanks and parentheses, as /proc/PID/stat shows it, must not confuse the script.
        final Process victim = new ProcessBuilder("perl", "-e", "$0 = 'a) b (c'; sleep 60").start();
        victims.add(victim);
        return victim;
    }

    private int fence(final String... records) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>(List.of(script.toString()));
        for (final String record : records) {
            command.add(pidFiles.of(record).toString());
        }
        final Process fence = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertTrue(fence.waitFor(30, TimeUnit.SECONDS));
        return fence.exitValue();
    }
}
