package org.resilire.guest.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.resilire.guest.GuestException;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.PidFd;
import org.resilire.linux.UnixStreamSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A QEMU that waits, with the replica for its RAM, until it is given a device state and runs on as the guest. It listens for
 * that state from the start, so that a failover is one connect and one write.
 *
 * <p>Its parent is a shell that waits for a line from the agent. If the agent dies, the shell reads the end of its input and
 * kills QEMU; told {@code release}, it ends and leaves QEMU to itself. (A parent-death signal would not do: it cannot be
 * taken back after a takeover, and it fires when the thread ends that started the process.) The session of its own keeps a
 * terminal's Ctrl-C away from a guest.
 *
 * <p>Not thread-safe, but {@link #hasExited()} and {@link #pid()} may be asked by any thread.
 */
public final class StandbyQemu implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(StandbyQemu.class);

    /**
     * $1 is the log, the rest QEMU's command line. Standard input is the agent's hand on it. The agent may run at a raised
     * priority, which is not the guest's to have.
     */
    private static final String LAUNCHER = """
            log=$1; shift
            renice -n 0 -p $$ >/dev/null 2>&1
            "$@" </dev/null >"$log" 2>&1 &
            qemu=$!
            echo "$qemu"
            exec >/dev/null 2>&1
            read -r word
            if [ "$word" != release ]; then kill -KILL "$qemu"; wait "$qemu"; fi
            """;

    private static final long CONNECT_STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long EXIT_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int MAX_LOG_BYTES = 64 * 1024;

    /** {@code sizeof(sun_path)} less the terminating zero, {@code unix(7)}. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    private final StandbyQemuConfig config;
    private final Path qmpSocket;
    private final Path incomingSocket;
    private final Path log;
    private final Process launcher;
    private final PidFd process;
    private StandbyMonitor monitor;
    private boolean isLoadBegun;
    private boolean hasState;
    private boolean isReleased;
    private boolean isClosed;

    private StandbyQemu(
            final StandbyQemuConfig config,
            final Path qmpSocket,
            final Path incomingSocket,
            final Path log,
            final Process launcher,
            final PidFd process) {
        this.config = config;
        this.qmpSocket = qmpSocket;
        this.incomingSocket = incomingSocket;
        this.log = log;
        this.launcher = launcher;
        this.process = process;
    }

    /**
     * Starts a standby and returns when it waits for its state.
     *
     * @throws GuestException if QEMU does not start; the message holds the last line it wrote
     */
    public static StandbyQemu start(final StandbyQemuConfig config) {
        final Path directory = config.stateDirectory().toAbsolutePath();
        final Path qmpSocket = requireShort(config.qmpSocket().toAbsolutePath());
        final Path incomingSocket = requireShort(directory.resolve("incoming.sock"));
        final Path log = directory.resolve("standby-qemu.log");
        final List<String> qemu = StandbyCommandLine.of(config.command(), qmpSocket);
        final List<String> command = new ArrayList<>(List.of("setsid", "sh", "-c", LAUNCHER, "sh", log.toString()));
        command.addAll(qemu);
        LOGGER.info("Starting the standby: {}", String.join(" ", qemu));
        final StandbyQemu standby = launch(config, command, qmpSocket, incomingSocket, log);
        try {
            standby.connect();
            standby.listenForState();
            return standby;
        } catch (final RuntimeException e) {
            standby.close();
            throw e;
        }
    }

    private static Path requireShort(final Path path) {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH_BYTES) {
            throw new GuestException("the path of the socket " + path + " is longer than " + MAX_SOCKET_PATH_BYTES
                    + " bytes: choose a shorter state directory");
        }
        return path;
    }

    private static StandbyQemu launch(
            final StandbyQemuConfig config,
            final List<String> command,
            final Path qmpSocket,
            final Path incomingSocket,
            final Path log) {
        try {
            Files.createDirectories(
                    config.stateDirectory(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            requireNobodyAnswers(qmpSocket);
            // Sockets of an earlier standby would be taken for this one's.
            Files.deleteIfExists(qmpSocket);
            Files.deleteIfExists(incomingSocket);
            Files.deleteIfExists(log);
            final Process launcher =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                final PidFd process = openProcess(readPid(launcher), log);
                return new StandbyQemu(config, qmpSocket, incomingSocket, log, launcher, process);
            } catch (final IOException | RuntimeException e) {
                launcher.destroyForcibly();
                throw e;
            }
        } catch (final IOException | LinuxException e) {
            throw new GuestException("cannot start the standby: " + e.getMessage(), e);
        }
    }

    /** A guest whose monitor were taken away could not be protected, nor shut down. */
    private static void requireNobodyAnswers(final Path qmpSocket) {
        if (!Files.exists(qmpSocket)) {
            return;
        }
        try {
            UnixStreamSocket.connect(qmpSocket).close();
        } catch (final LinuxException nobody) {
            LOGGER.debug("Nobody answers at {}", qmpSocket, nobody);
            return;
        }
        throw new GuestException("something answers at " + qmpSocket
                + ", where the standby's QMP socket should be: another standby, or the guest itself; end it first");
    }

    /** A QEMU that ends at once may be gone before it is looked at: then its last words are the cause. */
    private static PidFd openProcess(final long pid, final Path log) {
        try {
            return PidFd.open(pid);
        } catch (final LinuxException e) {
            if (e.errno() != Errno.ESRCH) {
                throw e;
            }
            throw new GuestException("the standby has ended" + lastLogLine(log), e);
        }
    }

    private static long readPid(final Process launcher) throws IOException {
        // The stream is not closed: the launcher's output ends with this line.
        final BufferedReader output =
                new BufferedReader(new InputStreamReader(launcher.getInputStream(), StandardCharsets.UTF_8));
        final String line = output.readLine();
        if (line == null || line.isEmpty() || !line.chars().allMatch(Character::isDigit)) {
            throw new IOException("the launcher said '" + line + "' instead of a process id");
        }
        return Long.parseLong(line);
    }

    private void connect() {
        final long deadline = System.nanoTime() + config.startTimeout().toNanos();
        while (true) {
            try {
                monitor = new StandbyMonitor(
                        QmpConnection.open(qmpSocket, Math.max(1, deadline - System.nanoTime())),
                        incomingSocket,
                        config.loadTimeout().toNanos(),
                        config.commandTimeout().toNanos(),
                        () -> lastLogLine(log));
                return;
            } catch (final QmpException e) {
                requireAlive(e);
                if (System.nanoTime() >= deadline) {
                    throw new GuestException(
                            "the standby did not come up within "
                                    + config.startTimeout().toMillis() + " ms: " + e.getMessage() + lastLogLine(log),
                            e);
                }
                LockSupport.parkNanos(CONNECT_STEP_NANOS);
            }
        }
    }

    private void listenForState() {
        run(() -> {
            final long timeout = config.commandTimeout().toNanos();
            monitor.qmp().execute("migrate-incoming", Map.of("uri", "unix:" + incomingSocket), timeout);
            // The reply says that it has begun, the socket that it has got there.
            final long deadline = System.nanoTime() + timeout;
            while (!Files.exists(incomingSocket)) {
                requireAlive(null);
                if (System.nanoTime() >= deadline) {
                    throw new GuestException("the standby does not listen at " + incomingSocket + lastLogLine(log));
                }
                LockSupport.parkNanos(CONNECT_STEP_NANOS);
            }
        });
    }

    /** What the standby consists of, to be compared with the primary. */
    public DeviceInventory inventory() {
        final DeviceInventory[] result = new DeviceInventory[1];
        run(() -> result[0] =
                DeviceInventory.of(monitor.qmp(), config.commandTimeout().toNanos()));
        return result[0];
    }

    /**
     * Gives the standby its device state; it then is paused where the primary was. Works once: QEMU cannot take a second one.
     *
     * @param state holds the state from offset 0
     */
    public void load(final MemorySegment state, final int lengthBytes) {
        if (isLoadBegun) {
            throw new IllegalStateException("this standby has its state already: start another one");
        }
        isLoadBegun = true;
        try {
            monitor.load(state, lengthBytes);
        } catch (final QmpException | LinuxException e) {
            throw explained(e);
        }
        hasState = true;
    }

    /** True once {@link #load} has succeeded. */
    public boolean isLoaded() {
        return hasState;
    }

    /** Lets the guest run; after {@link #load}. */
    public void resume() {
        if (!hasState) {
            throw new IllegalStateException("a standby without its state must not run");
        }
        try {
            monitor.resume();
        } catch (final QmpException | LinuxException e) {
            throw explained(e);
        }
    }

    /** Makes the guest's network devices tell switches and neighbours where they are now; returns at once. */
    public void announce() {
        try {
            monitor.announce();
        } catch (final QmpException | LinuxException e) {
            throw explained(e);
        }
    }

    /** The run state, asked of QEMU. */
    public RunState runState() {
        final RunState[] result = new RunState[1];
        run(() -> result[0] = monitor.runState());
        return result[0];
    }

    /** Of QEMU. */
    public long pid() {
        return process.pid();
    }

    /** Where QEMU answers QMP; free for another client after {@link #close()} or {@link #release()}. */
    public Path qmpSocket() {
        return qmpSocket;
    }

    public boolean hasExited() {
        return process.hasExited();
    }

    /** After a takeover: from here on the guest outlives this agent, and {@link #close()} leaves it running. */
    public void release() {
        if (!isReleased) {
            isReleased = true;
            try (OutputStream input = launcher.getOutputStream()) {
                input.write("release\n".getBytes(StandardCharsets.UTF_8));
            } catch (final IOException e) {
                LOGGER.warn("The standby's launcher is gone: {}", e.getMessage());
            }
        }
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (monitor != null) {
            monitor.close();
        }
        try {
            if (!isReleased) {
                kill();
            }
        } finally {
            process.close();
        }
    }

    /** Ends QEMU, released or not; before {@link #close()}. */
    public void kill() {
        try {
            process.kill();
            process.awaitExit(EXIT_WAIT_NANOS);
        } catch (final LinuxException e) {
            LOGGER.debug("The standby had ended already: {}", e.getMessage());
        }
        try {
            // The end of its input ends the launcher too; it has nobody left to kill.
            launcher.getOutputStream().close();
            launcher.waitFor(EXIT_WAIT_NANOS, TimeUnit.NANOSECONDS);
            Files.deleteIfExists(qmpSocket);
            Files.deleteIfExists(incomingSocket);
        } catch (final IOException e) {
            LOGGER.warn("Cleaning up after the standby: {}", e.getMessage());
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(final Runnable step) {
        try {
            step.run();
        } catch (final QmpException | LinuxException e) {
            throw explained(e);
        }
    }

    /** What to throw for a step that failed: if it did because QEMU has ended, the message says what QEMU said last. */
    private GuestException explained(final RuntimeException e) {
        // Its sockets close before its process counts as ended.
        if (hasLostConnection(e) && process.awaitExit(EXIT_WAIT_NANOS)) {
            requireAlive(e);
        }
        return e instanceof QmpException qmpFailure
                ? qmpFailure
                : new GuestException("the standby did not take what it was sent: " + e.getMessage(), e);
    }

    private static boolean hasLostConnection(final RuntimeException e) {
        return !(e instanceof QmpException qmpFailure) || qmpFailure.failure() == QmpException.Failure.CLOSED;
    }

    private void requireAlive(final RuntimeException cause) {
        if (process.hasExited()) {
            throw new GuestException("the standby has ended" + lastLogLine(log), cause);
        }
    }

    /** What QEMU wrote last: usually why it ended. */
    private static String lastLogLine(final Path log) {
        try {
            final byte[] bytes = Files.readAllBytes(log);
            final int from = Math.max(0, bytes.length - MAX_LOG_BYTES);
            final List<String> lines = new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
            return lines.isEmpty() ? " (it wrote nothing to " + log + ")" : ": " + lines.get(lines.size() - 1);
        } catch (final IOException e) {
            LOGGER.debug("No log of the standby", e);
            return " (its log " + log + " cannot be read)";
        }
    }
}
