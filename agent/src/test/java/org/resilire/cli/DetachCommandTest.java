package org.resilire.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.control.AgentRole;
import org.resilire.control.ControlServer;
import org.resilire.control.RunDirectory;
import tools.jackson.databind.json.JsonMapper;

/** This process is the agent's, as that of {@code resilire run} is the agents' of several guests. */
@Timeout(60)
class DetachCommandTest {

    private static final int LIMIT_SECONDS = 30;

    @TempDir
    private Path directory;

    @Test
    void shouldEndWithTheAgentAndItsDisksThoughTheProcessGoesOn() throws Exception {
        final RunDirectory.Claim primary = claim(AgentRole.PRIMARY);
        final RunDirectory.Claim backupBefore = claim(AgentRole.BACKUP);
        final CountDownLatch answered = new CountDownLatch(1);
        try (ControlServer server = ControlServer.start(primary.directory(), Map.of("detach", (request, progress) -> {
            answered.countDown();
            return JsonMapper.shared()
                    .createObjectNode()
                    .put("result", "protection has ended")
                    .put("pid", ProcessHandle.current().pid());
        }))) {
            final CompletableFuture<Integer> exitCode = CompletableFuture.supplyAsync(
                    () -> Resilire.execute("detach", "--vm", "db", "--run-dir", directory.toString()));
            assertTrue(answered.await(LIMIT_SECONDS, TimeUnit.SECONDS), () -> "of " + server.commands());
            primary.close();
            assertThrows(
                    TimeoutException.class,
                    () -> exitCode.get(1_500, TimeUnit.MILLISECONDS),
                    "its disks are still being written out");
            backupBefore.close();
            assertEquals(ExitCode.OK, exitCode.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        } finally {
            primary.close();
            backupBefore.close();
        }
    }

    private RunDirectory.Claim claim(final AgentRole role) throws Exception {
        return RunDirectory.under(directory, "db", role).claim();
    }
}
