package org.resilire.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.guest.GuestException;
import org.resilire.linux.LinuxException;
import org.resilire.linux.MappedFile;
import org.resilire.linux.PidFd;
import org.resilire.synthetic.Await;

class StandbyQemuTest {

    private static final long EXIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private TestQemu primary;
    private Path replica;

    @BeforeEach
    void startPrimary() {
        primary = TestQemu.start(new TestQemu.Options()
                .withCpus(2)
                .with(
                        "-netdev",
                        "socket,id=n0,udp=127.0.0.1:9,localaddr=127.0.0.1:0",
                        "-device",
                        "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56"));
        replica = Path.of(primary.ramFile() + ".replica");
    }

    @AfterEach
    void stopPrimary() throws IOException {
        Files.deleteIfExists(replica);
        primary.close();
    }

    private StandbyQemuConfig config() {
        return new StandbyQemuConfig(
                primary.commandFor(replica), primary.directory().resolve("standby"));
    }

    @Test
    void shouldGoOnWhereThePrimaryStopped() {
        try (QemuGuest guest = QemuGuest.attach(primary.config());
                MappedFile file = MappedFile.create(replica, guest.memory().lengthBytes());
                StandbyQemu standby = StandbyQemu.start(config());
                Arena arena = Arena.ofConfined()) {
            assertEquals(Optional.empty(), DeviceInventory.firstDifference(guest.inventory(), standby.inventory()));
            final MemorySegment state = arena.allocate(4 << 20);
            guest.pause();
            guest.beginDeviceStateSave();
            file.segment().copyFrom(guest.memory().segment());
            final int length = guest.finishDeviceStateSave(state);
            guest.stopForGood();

            standby.load(state, length);
            assertEquals(RunState.PAUSED, standby.runState());
            assertEquals(-1, file.segment().mismatch(guest.memory().segment()));
            standby.resume();
            standby.announce();
            assertEquals(RunState.RUNNING, standby.runState());
            Await.until(
                    "the guest writes",
                    () -> file.segment().mismatch(guest.memory().segment()) != -1);
            assertEquals(Optional.empty(), DeviceInventory.firstDifference(guest.inventory(), standby.inventory()));
        }
    }

    @Test
    void shouldEndWhenClosed() {
        final long pid;
        try (MappedFile file = MappedFile.create(replica, 16 << 20);
                StandbyQemu standby = StandbyQemu.start(config())) {
            assertTrue(file.lengthBytes() > 0);
            assertFalse(standby.hasExited());
            pid = standby.pid();
        }
        assertFalse(isAlive(pid));
    }

    @Test
    void shouldSayWhyQemuDidNotStart() {
        final List<String> command = new ArrayList<>(primary.commandFor(replica));
        command.addAll(List.of("-device", "no-such-device"));
        final GuestException e = assertThrows(
                GuestException.class,
                () -> StandbyQemu.start(new StandbyQemuConfig(
                                command, primary.directory().resolve("standby")))
                        .close());
        assertTrue(e.getMessage().contains("no-such-device"), e.getMessage());
    }

    @Test
    void shouldSayThatThereIsNoSuchProgram() {
        final StandbyQemuConfig config = new StandbyQemuConfig(
                List.of("no-such-qemu"), primary.directory().resolve("standby"));
        final GuestException e = assertThrows(
                GuestException.class, () -> StandbyQemu.start(config).close());
        assertTrue(e.getMessage().contains("no-such-qemu"), e.getMessage());
    }

    @Test
    void shouldSayThatTheStateWasBad() {
        try (MappedFile file = MappedFile.create(replica, 16 << 20);
                StandbyQemu standby = StandbyQemu.start(config());
                Arena arena = Arena.ofConfined()) {
            final MemorySegment garbage = arena.allocate(1000);
            garbage.fill((byte) 0x5a);
            final GuestException e = assertThrows(GuestException.class, () -> standby.load(garbage, 1000));
            assertTrue(e.getMessage().contains("standby has ended"), e.getMessage());
            assertTrue(file.lengthBytes() > 0);
        }
    }

    @Test
    void shouldSayThatTheStateWasCutShort() {
        try (QemuGuest guest = QemuGuest.attach(primary.config());
                MappedFile file = MappedFile.create(replica, guest.memory().lengthBytes());
                StandbyQemu standby = StandbyQemu.start(config());
                Arena arena = Arena.ofConfined()) {
            final MemorySegment state = arena.allocate(4 << 20);
            guest.pause();
            guest.beginDeviceStateSave();
            final int length = guest.finishDeviceStateSave(state);
            guest.resume();
            assertThrows(GuestException.class, () -> standby.load(state, length / 2));
            assertThrows(IllegalStateException.class, standby::resume);
            assertTrue(file.lengthBytes() > 0);
        }
    }

    @Test
    void shouldNameADifferenceOfDevices() {
        final List<String> command = new ArrayList<>(primary.commandFor(replica));
        command.removeIf(argument -> argument.startsWith("virtio-net-pci"));
        command.remove(command.lastIndexOf("-device"));
        try (QemuGuest guest = QemuGuest.attach(primary.config());
                MappedFile file = MappedFile.create(replica, guest.memory().lengthBytes());
                StandbyQemu standby = StandbyQemu.start(
                        new StandbyQemuConfig(command, primary.directory().resolve("standby")))) {
            assertEquals(
                    Optional.of("standby lacks virtio-net-pci at 00:01.0"),
                    DeviceInventory.firstDifference(guest.inventory(), standby.inventory()));
            assertTrue(file.lengthBytes() > 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldOutliveADeadAgentOnlyOnceReleased(final boolean isReleased) throws IOException {
        MappedFile.create(replica, 16 << 20).close();
        final List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Agent.class.getName(),
                Boolean.toString(isReleased),
                primary.directory().resolve("standby").toString()));
        command.addAll(primary.commandFor(replica));
        final Process agent = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(agent.getInputStream(), StandardCharsets.UTF_8))) {
            String line = output.readLine();
            while (line != null && !line.startsWith("pid ")) {
                line = output.readLine();
            }
            assertTrue(line != null, "the agent ended");
            try (PidFd qemu = PidFd.open(Long.parseLong(line.substring(4)))) {
                agent.destroyForcibly();
                if (isReleased) {
                    assertFalse(qemu.awaitExit(TimeUnit.MILLISECONDS.toNanos(500)));
                    qemu.sendSignal(9);
                }
                assertTrue(qemu.awaitExit(EXIT_NANOS), "the standby outlived its agent");
            }
        } finally {
            agent.destroyForcibly();
        }
    }

    /** Starts a standby and waits to be killed. */
    static final class Agent {

        private Agent() {}

        public static void main(final String[] arguments) throws InterruptedException {
            final List<String> all = List.of(arguments);
            final StandbyQemu standby = StandbyQemu.start(new StandbyQemuConfig(
                    all.subList(2, all.size()),
                    Path.of(all.get(1)),
                    StandbyQemuConfig.defaultQmpSocket(Path.of(all.get(1))),
                    Duration.ofSeconds(20),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(5)));
            if (Boolean.parseBoolean(all.get(0))) {
                standby.release();
            }
            System.out.println("pid " + standby.pid());
            Thread.sleep(TimeUnit.MINUTES.toMillis(2));
        }
    }

    private static boolean isAlive(final long pid) {
        try (PidFd process = PidFd.open(pid)) {
            return !process.hasExited();
        } catch (final LinuxException e) {
            return false;
        }
    }
}
