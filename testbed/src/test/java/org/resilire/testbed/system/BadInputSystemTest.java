package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCountersReader;
import org.resilire.control.AgentRole;
import org.resilire.control.AgentState;
import org.resilire.control.CountersFileException;
import org.resilire.control.RunDirectory;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentCommandLine;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabHost;
import org.resilire.testbed.lab.LabProcess;

/**
 * What people get wrong: each is told in one line that says what to do, and ends with the exit status that the help documents.
 * The guests are QEMUs without a system in them: nobody looks inside.
 */
class BadInputSystemTest {

    private static final int USAGE = 2;
    private static final int CONFIGURATION = 3;
    private static final int HOST = 4;
    private static final int GUEST = 5;
    private static final int PEER = 6;
    private static final int AGENT = 7;

    private static final String QEMU = "qemu-system-x86_64";
    private static final int RAM_MIB = 32;
    private static final int NOBODY = 65_534;
    private static final Duration START_LIMIT = Duration.ofSeconds(30);

    private static final List<String> WITHOUT_PTRACE =
            List.of("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace");

    private static Lab lab;

    /** A guest as it should be. */
    private static Path goodRam;

    private static Path goodQmp;

    @BeforeAll
    static void startGuest() {
        lab = Lab.create();
        goodRam = lab.sharedMemory("good.ram");
        goodQmp = startQemu("good", goodRam, "share=on");
    }

    @AfterAll
    static void closeLab() {
        if (lab != null) {
            lab.close();
        }
    }

    @Test
    void shouldSayThatNothingListensAtQmpSocket() {
        final Path nowhere = lab.directory().resolve("nowhere.qmp");
        assertOneLine(GUEST, nowhere.toString(), protect(nowhere, goodRam));
    }

    @Test
    void shouldSayThatSomethingElseListensAtQmpSocket() throws IOException {
        final Path socket = lab.directory().resolve("mail.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Thread.ofPlatform().daemon().start(() -> greetAsMailServer(server));
            assertOneLine(GUEST, socket.toString(), protect(socket, goodRam));
        }
    }

    private static void greetAsMailServer(final ServerSocketChannel server) {
        try {
            while (true) {
                try (SocketChannel client = server.accept()) {
                    client.write(ByteBuffer.wrap("220 mail.example ESMTP\r\n".getBytes(StandardCharsets.US_ASCII)));
                    client.read(ByteBuffer.allocate(1));
                }
            }
        } catch (final IOException closed) {
            // The test is over.
        }
    }

    @Test
    void shouldSayThatRamIsNotShared() {
        final Path ram = lab.sharedMemory("private.ram");
        assertOneLine(GUEST, "share=on", protect(startQemu("private", ram, "share=off"), ram));
    }

    @Test
    void shouldSayThatRamFileIsMissing() {
        final Path missing = lab.sharedMemory("missing.ram");
        assertOneLine(GUEST, missing.toString(), protect(goodQmp, missing));
    }

    @Test
    void shouldSayThatNobodyUsesRamFile() {
        final Path unused = createFile("unused.ram", RAM_MIB);
        assertOneLine(GUEST, "no process maps the RAM file " + unused, protect(goodQmp, unused));
    }

    @Test
    void shouldSayThatRamFileIsOfAnotherGuest() {
        final Path ram = lab.sharedMemory("other.ram");
        startQemu("other", ram, "share=on");
        assertOneLine(GUEST, ram.toString(), protect(goodQmp, ram));
    }

    @Test
    void shouldSayThatRamFileHasAnotherSize() {
        final Path ram = createFile("long.ram", 2 * RAM_MIB);
        assertOneLine(
                GUEST,
                "the guest has 33554432 bytes of RAM, the RAM file " + ram + " 67108864",
                protect(startQemu("long", ram, "share=on"), ram));
    }

    @Test
    void shouldSayThatGraphicsMemoryIsNotReplicated() {
        final Path ram = lab.sharedMemory("vga.ram");
        assertOneLine(GUEST, "graphics device", protect(startQemu("vga", ram, "share=on", "-device", "VGA"), ram));
    }

    @Test
    void shouldNameMissingCapability() {
        final List<String> arguments = protectArguments(goodQmp, goodRam);
        arguments.addAll(List.of("--tracker", "write-protect"));
        assertOneLine(
                HOST,
                "this process lacks CAP_SYS_PTRACE",
                CommandRun.in(lab.hostA().namespace(), WITHOUT_PTRACE, arguments));
    }

    /** It gets as far as root's. */
    @Test
    void shouldBeginAsAUserWhoIsNotRoot() throws IOException {
        assumeTrue(isOpenToAll(Path.of(AgentCommandLine.launcher())), "this source tree is root's alone");
        final Path own = Files.createDirectory(lab.directory().resolve("nobody"));
        Files.setAttribute(own, "unix:uid", NOBODY);
        final Path nowhere = own.resolve("nowhere.qmp");
        assertOneLine(
                GUEST,
                nowhere.toString(),
                CommandRun.in(
                        lab.hostA().namespace(),
                        List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"),
                        List.of(
                                "protect",
                                "--vm",
                                lab.vmName(),
                                "--qmp",
                                nowhere.toString(),
                                "--ram",
                                goodRam.toString(),
                                "--backup",
                                Lab.HOST_B_REPLICATION_ADDRESS + ":7000",
                                "--run-dir",
                                own.toString(),
                                "--state-dir",
                                own.toString())));
    }

    private static boolean isOpenToAll(final Path path) throws IOException {
        for (Path part = path; part != null; part = part.getParent()) {
            if (!Files.getPosixFilePermissions(part).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return false;
            }
        }
        return true;
    }

    /** Comparing all memory needs no capability. */
    @Test
    void shouldSayThatItComparesAllMemoryForLackOfCapability() {
        final Path ram = lab.sharedMemory("modest.ram");
        final List<String> command = new ArrayList<>(WITHOUT_PTRACE);
        command.add(AgentCommandLine.launcher());
        command.addAll(protectArguments(lab.vmName() + "-modest", startQemu("modest", ram, "share=on"), ram, 7005));
        final LabProcess primary = lab.start("modest-agent", lab.hostA().namespace(), command);
        try {
            awaitLog(primary, "Dirty tracker: compare; not write-protect:");
            awaitLog(primary, "this process lacks CAP_SYS_PTRACE");
            awaitLog(primary, "Attached to QEMU");
        } finally {
            primary.close();
        }
    }

    @Test
    void shouldSuggestNearestOption() {
        final List<String> arguments = protectArguments(goodQmp, goodRam);
        arguments.addAll(List.of("--perod", "10ms"));
        assertOneLine(
                USAGE,
                "unknown option --perod; did you mean --period?",
                CommandRun.in(lab.hostA().namespace(), arguments));
    }

    @Test
    void shouldSuggestNearestConfigurationKey() throws IOException {
        final Path file = Files.writeString(
                lab.directory().resolve("resilire.toml"), "[vm." + lab.vmName() + "]\ndetect-timout = \"200ms\"\n");
        final List<String> arguments = protectArguments(goodQmp, goodRam);
        arguments.addAll(List.of("--config", file.toString()));
        assertOneLine(
                CONFIGURATION,
                "unknown key 'detect-timout' in [vm." + lab.vmName() + "]; did you mean 'detect-timeout'?",
                CommandRun.in(lab.hostA().namespace(), arguments));
    }

    @Test
    void shouldSayThatNoAgentRuns() {
        assertOneLine(
                AGENT,
                "no agent runs as primary of VM nobody",
                CommandRun.in(
                        lab.hostA().namespace(),
                        List.of("verify", "--vm", "nobody", "--run-dir", runDirectory(lab.hostA()))));
    }

    @Test
    void shouldSayThatPortIsInUse() {
        final LabProcess first = startStandby(lab.vmName() + "-port-a", 7001, QEMU, RAM_MIB);
        try {
            final CommandRun second = CommandRun.in(
                    lab.hostB().namespace(),
                    standbyArguments(lab.vmName() + "-port-b", 7001, lab.sharedMemory("port-b.ram"), QEMU, RAM_MIB));
            assertEquals(HOST, second.exitStatus(), second::toString);
            assertTrue(second.errors().getLast().contains("10.78.0.2:7001"), second::toString);
            assertEquals(1, complaints(second).size(), second::toString);
        } finally {
            first.close();
        }
    }

    @Test
    void shouldBeRefusedByStandbyWithOtherRamSize() {
        assertRefused(
                7002,
                "the primary's guest has 32 MiB of RAM, the standby 64 MiB; start both with the same -m and size=",
                QEMU,
                2 * RAM_MIB);
    }

    @Test
    void shouldBeRefusedByStandbyWithOtherDevices() {
        assertRefused(7003, "the machines differ", QEMU, RAM_MIB, "-device", "virtio-rng-pci");
    }

    @Test
    void shouldBeRefusedByStandbyWithOtherQemuVersion() throws IOException, InterruptedException {
        final Optional<Path> other = OtherQemu.unpack(lab.directory().resolve("other-qemu"));
        assumeTrue(other.isPresent(), "apt offers no second version of QEMU here");
        assertRefused(
                7005,
                "install the same version on both hosts",
                other.orElseThrow().toString(),
                RAM_MIB,
                OtherQemu.FIRMWARE);
    }

    /** Not an error: the backup may come later. */
    @Test
    void shouldSayThatBackupDoesNotAnswerAndKeepTrying() {
        final Path ram = lab.sharedMemory("lonely.ram");
        final Path qmp = startQemu("lonely", ram, "share=on");
        final List<String> command = new ArrayList<>(List.of(AgentCommandLine.launcher()));
        command.addAll(protectArguments(lab.vmName() + "-lonely", qmp, ram, 7004));
        final LabProcess primary = lab.start("lonely-agent", lab.hostA().namespace(), command);
        try {
            awaitLog(primary, "backup 10.78.0.2:7004 does not answer; trying again");
            assertTrue(primary.isAlive(), primary::logTail);
        } finally {
            primary.close();
        }
    }

    private static void assertRefused(
            final int port, final String reason, final String program, final int standbyMiB, final String... devices) {
        final LabProcess standby = startStandby(lab.vmName(), port, program, standbyMiB, devices);
        try {
            final CommandRun run =
                    CommandRun.in(lab.hostA().namespace(), protectArguments(lab.vmName(), goodQmp, goodRam, port));
            assertEquals(PEER, run.exitStatus(), () -> run + standby.logTail());
            assertEquals(1, complaints(run).size(), () -> run + standby.logTail());
            assertTrue(complaints(run).getFirst().contains(reason), () -> run + standby.logTail());
        } finally {
            standby.close();
        }
    }

    /** Without the reports of an agent that has begun to work. */
    private static List<String> complaints(final CommandRun run) {
        return run.errors().stream().filter(line -> !line.contains(" INFO ")).toList();
    }

    private static void assertOneLine(final int exitStatus, final String part, final CommandRun run) {
        assertEquals(exitStatus, run.exitStatus(), run::toString);
        assertEquals(1, run.errors().size(), run::toString);
        assertTrue(run.errors().getFirst().startsWith("resilire: "), run::toString);
        assertTrue(run.errors().getFirst().contains(part), run::toString);
    }

    private static CommandRun protect(final Path qmp, final Path ram) {
        return CommandRun.in(lab.hostA().namespace(), protectArguments(qmp, ram));
    }

    private static List<String> protectArguments(final Path qmp, final Path ram) {
        return protectArguments(lab.vmName(), qmp, ram, 7000);
    }

    private static List<String> protectArguments(final String vm, final Path qmp, final Path ram, final int port) {
        final LabHost host = lab.hostA();
        return new ArrayList<>(List.of(
                "protect",
                "--vm",
                vm,
                "--qmp",
                qmp.toString(),
                "--ram",
                ram.toString(),
                "--backup",
                Lab.HOST_B_REPLICATION_ADDRESS + ":" + port,
                "--run-dir",
                runDirectory(host),
                "--state-dir",
                host.agentStateDirectory().toString(),
                "--detect-timeout",
                "500ms"));
    }

    private static List<String> standbyArguments(
            final String vm,
            final int port,
            final Path ram,
            final String program,
            final int memoryMiB,
            final String... devices) {
        final LabHost host = lab.hostB();
        return List.of(
                "standby",
                "--vm",
                vm,
                "--listen",
                Lab.HOST_B_REPLICATION_ADDRESS + ":" + port,
                "--ram",
                ram.toString(),
                "--qemu",
                String.join(" ", qemu(program, vm, ram, "share=on", memoryMiB, devices)),
                "--run-dir",
                runDirectory(host),
                "--state-dir",
                host.agentStateDirectory().toString(),
                "--fence",
                "true",
                "--detect-timeout",
                "500ms");
    }

    private static LabProcess startStandby(
            final String vm, final int port, final String program, final int memoryMiB, final String... devices) {
        final Path ram = lab.sharedMemory("standby-" + port + ".ram");
        final List<String> command = new ArrayList<>(List.of(AgentCommandLine.launcher()));
        command.addAll(standbyArguments(vm, port, ram, program, memoryMiB, devices));
        final LabProcess standby = lab.start("standby-" + port, lab.hostB().namespace(), command);
        final RunDirectory directory = RunDirectory.under(lab.hostB().agentRunBase(), vm, AgentRole.BACKUP);
        Await.until(
                () -> isWaiting(directory, standby) || !standby.isAlive(),
                START_LIMIT,
                () -> standby.name() + " does not wait for a primary" + standby.logTail());
        assertTrue(standby.isAlive(), standby::logTail);
        return standby;
    }

    private static boolean isWaiting(final RunDirectory directory, final LabProcess standby) {
        try {
            final AgentCountersReader counters = AgentCountersReader.open(directory);
            return counters.value(AgentCounter.PID) == standby.identity().pid()
                    && counters.state() == AgentState.STANDBY_WAITING;
        } catch (final CountersFileException | NoSuchFileException notYet) {
            return false;
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static String runDirectory(final LabHost host) {
        return host.agentRunBase().toString();
    }

    /** Its QMP socket, once it answers there. */
    private static Path startQemu(final String name, final Path ram, final String share, final String... devices) {
        final Path qmp = lab.directory().resolve(name + ".qmp");
        final List<String> command = new ArrayList<>(qemu(QEMU, name, ram, share, RAM_MIB, devices));
        command.addAll(List.of("-qmp", "unix:" + qmp + ",server=on,wait=off"));
        final LabProcess process = lab.start("qemu-" + name, lab.hostA().namespace(), command);
        Await.until(
                () -> Files.exists(qmp) || !process.isAlive(),
                START_LIMIT,
                () -> "QEMU does not listen at " + qmp + process.logTail());
        if (!process.isAlive()) {
            throw new TestbedException("QEMU ended" + process.logTail());
        }
        return qmp;
    }

    private static List<String> qemu(
            final String program,
            final String name,
            final Path ram,
            final String share,
            final int memoryMiB,
            final String... devices) {
        final List<String> command = new ArrayList<>(List.of(
                program,
                "-name",
                name,
                "-machine",
                "q35,memory-backend=ram0",
                "-accel",
                "tcg",
                "-m",
                memoryMiB + "M",
                "-object",
                "memory-backend-file,id=ram0,size=" + memoryMiB + "M,mem-path=" + ram + "," + share,
                "-no-user-config",
                "-nodefaults",
                "-display",
                "none"));
        command.addAll(List.of(devices));
        return command;
    }

    private static Path createFile(final String name, final int sizeMiB) {
        final Path file = lab.sharedMemory(name);
        try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
            content.setLength((long) sizeMiB << 20);
            return file;
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void awaitLog(final LabProcess process, final String part) {
        Await.until(
                () -> logOf(process).contains(part) || !process.isAlive(),
                START_LIMIT,
                () -> process.name() + " does not say '" + part + "'" + process.logTail());
        assertTrue(logOf(process).contains(part), process::logTail);
    }

    private static String logOf(final LabProcess process) {
        try {
            return Files.readString(process.log());
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
