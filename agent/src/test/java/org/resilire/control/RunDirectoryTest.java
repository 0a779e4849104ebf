package org.resilire.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RunDirectoryTest {

    @TempDir
    Path base;

    private RunDirectory directory;

    @BeforeEach
    void setUp() {
        directory = RunDirectory.under(base, "demo", AgentRole.PRIMARY);
    }

    @Test
    void shouldBeItsOwnersAlone() throws IOException {
        Files.createDirectory(directory.path());
        Files.setPosixFilePermissions(directory.path(), PosixFilePermissions.fromString("rwxrwxrwx"));
        try (RunDirectory.Claim claim = directory.claim()) {
            assertEquals(base.resolve("demo.primary"), claim.directory().path());
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())));
        }
    }

    /** The guest's memory passes through it, and everybody may look around where it is. */
    @Test
    void shouldKeepWhatIsInMemoryFromOthers() throws IOException {
        final Path memory = directory.memoryPath();
        try (RunDirectory.Claim claim = directory.claim()) {
            Files.createDirectory(
                    memory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            assertEquals(memory, claim.memoryDirectory());
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(memory)));
            Files.setAttribute(memory, "unix:uid", 65_534);
            assertThrows(FileSystemException.class, claim::memoryDirectory);
        } finally {
            Files.deleteIfExists(memory);
        }
    }

    @Test
    void shouldLeaveNothingOfItsOwnInMemory() throws IOException {
        final Path memory = directory.memoryPath();
        try {
            directory.claim().close();
            try (RunDirectory.Claim claim = directory.claim()) {
                Files.createFile(claim.memoryDirectory().resolve("left"));
            }
            assertTrue(Files.exists(memory.resolve("left")), "it may be of use to somebody");
            try (RunDirectory.Claim claim = directory.claim()) {
                Files.delete(claim.memoryDirectory().resolve("left"));
            }
            assertFalse(Files.exists(memory));
            // Not this claim's: it has none.
            Files.createDirectory(memory);
            directory.claim().close();
            assertTrue(Files.exists(memory));
        } finally {
            Files.deleteIfExists(memory.resolve("left"));
            Files.deleteIfExists(memory);
        }
    }

    /** As root, who may remove what others have made at the place of which everybody knows the name. */
    @Test
    void shouldNotRemoveAnotherUsersDirectoryInMemory() throws IOException {
        final Path memory = directory.memoryPath();
        try {
            final RunDirectory.Claim claim = directory.claim();
            Files.setAttribute(claim.memoryDirectory(), "unix:uid", 65_534);
            claim.close();
            assertTrue(Files.exists(memory));
        } finally {
            Files.deleteIfExists(memory);
        }
    }

    /** An agent need not be root's, as the link to it in {@code /proc} always is. */
    @Test
    void shouldKnowAsWhichUserAnAgentRuns() throws IOException {
        final Path process = Files.createDirectory(base.resolve("4711"));
        Files.setAttribute(process, "unix:uid", 65_534);
        assertEquals(65_534, RunDirectory.userBehind(Files.createSymbolicLink(base.resolve("self"), process)));
    }

    @Test
    void shouldNameTheLiveAgent() throws IOException {
        assertEquals(Optional.empty(), directory.liveAgent());
        try (RunDirectory.Claim claim = directory.claim()) {
            assertEquals(
                    Optional.of(ProcessIdentity.ofSelf()), claim.directory().liveAgent());
        }
        assertEquals(Optional.empty(), directory.liveAgent());
    }

    @Test
    void shouldNotTakeAnotherProcessOfTheSameIdForTheAgent() throws IOException {
        Files.createDirectory(directory.path());
        final ProcessIdentity self = ProcessIdentity.ofSelf();
        Files.writeString(directory.pidFile(), new ProcessIdentity(self.pid(), self.startTicks() - 1).toLine());
        assertEquals(Optional.empty(), directory.liveAgent());
        directory.claim().close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "12", "12 13 14", "twelve 13", "99999999999999999999 1", "-1 -1"})
    void shouldTakeAPidFileThatIsNoneAsNoAgent(final String content) throws IOException {
        Files.createDirectory(directory.path());
        Files.writeString(directory.pidFile(), content);
        assertEquals(Optional.empty(), directory.liveAgent());
        directory.claim().close();
    }

    @Test
    void shouldRefuseASecondAgentOfThisProcess() throws IOException {
        try (RunDirectory.Claim claim = directory.claim()) {
            assertThrows(AgentAlreadyRunsException.class, claim.directory()::claim);
        }
        directory.claim().close();
    }

    @Test
    void shouldRefuseAnAgentWhileAnotherLivesAndLetItInOnceThatIsKilled() throws Exception {
        final Process other = ClaimingProgram.start(base, "demo");
        try (BufferedReader said = other.inputReader()) {
            assertTrue(said.readLine().startsWith(ClaimingProgram.CLAIMED));
            final AgentAlreadyRunsException refusal =
                    assertThrows(AgentAlreadyRunsException.class, () -> directory.claim());
            assertTrue(
                    refusal.getMessage().contains("an agent for VM demo already runs as primary, pid " + other.pid()),
                    refusal::getMessage);
            RunDirectory.under(base, "demo", AgentRole.BACKUP).claim().close();
        } finally {
            other.destroyForcibly();
        }
        assertTrue(other.waitFor(20, TimeUnit.SECONDS));
        assertTrue(Files.exists(directory.pidFile()), "a killed process leaves its file");
        assertEquals(Optional.empty(), directory.liveAgent());
        directory.claim().close();
    }

    @Test
    void shouldCleanWhatADeadAgentLeftAndNothingElse() throws IOException {
        Files.createDirectory(directory.path());
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(directory.controlSocket()))
                .close();
        Files.writeString(directory.countersFile(), "the last state of a dead agent");
        Files.writeString(directory.path().resolve("qmp.sock"), "QEMU's");
        try (RunDirectory.Claim claim = directory.claim()) {
            assertFalse(Files.exists(claim.directory().controlSocket()));
            assertTrue(Files.exists(directory.countersFile()), "it says whether the guest was left paused");
            assertTrue(Files.exists(directory.path().resolve("qmp.sock")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "../x", "a/b", ".hidden", "with space", "-x", "ümlaut", "a\nb"})
    void shouldRefuseNamesThatAreNoFileNames(final String name) {
        assertThrows(IllegalArgumentException.class, () -> RunDirectory.under(base, name, AgentRole.PRIMARY));
    }

    @Test
    void shouldRefuseAPathThatIsTooLongForASocket() {
        final Path deep = base.resolve("d".repeat(90));
        final IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> RunDirectory.under(deep, "demo", AgentRole.PRIMARY));
        assertTrue(refusal.getMessage().contains("--run-dir"), refusal::getMessage);
    }

    @Test
    void shouldNotFollowALinkToSomebodyElsesDirectory() throws IOException {
        final Path elsewhere = Files.createDirectory(base.resolve("elsewhere"));
        Files.createSymbolicLink(directory.path(), elsewhere);
        assertThrows(IOException.class, () -> directory.claim());
    }

    @Test
    void shouldRefuseADirectoryOfAnotherUser() throws IOException {
        Files.createDirectory(directory.path());
        // Only root gives files away; the tests run as root.
        Files.setAttribute(directory.path(), "unix:uid", 65_534);
        final IOException refusal = assertThrows(IOException.class, () -> directory.claim());
        assertTrue(refusal.getMessage().contains("belongs to user 65534"), refusal::getMessage);
    }

    @Test
    void shouldListAgentsByName() throws IOException {
        assertEquals(List.of(), RunDirectory.list(base.resolve("none")));
        for (final String name : List.of("b.backup", "a.primary", "a.b.primary", "other", "x.observer")) {
            Files.createDirectory(base.resolve(name));
        }
        assertEquals(
                List.of("a.b primary", "a primary", "b backup"),
                RunDirectory.list(base).stream()
                        .map(found -> found.vmName() + " " + found.role().label())
                        .toList());
    }
}
