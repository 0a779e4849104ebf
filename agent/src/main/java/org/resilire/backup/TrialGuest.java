package org.resilire.backup;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.resilire.epoch.PageHasher;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.qemu.IsolatedCommandLine;
import org.resilire.guest.qemu.RunState;
import org.resilire.guest.qemu.StandbyQemu;
import org.resilire.guest.qemu.StandbyQemuConfig;

/**
 * A copy of a guest that runs cut off from everything, to be looked at and thrown away. It ends with this process at the latest. One
 * thread.
 */
public final class TrialGuest implements AutoCloseable {

    /**
     * What was seen of it.
     *
     * @param runState as QEMU names it, or how it ended
     * @param changedPages of its memory, in the time it was watched
     */
    public record Observation(String runState, long changedPages) {

        /** Running and doing something. */
        public boolean isAlive() {
            return runState.equals(RunState.RUNNING.qmpName()) && changedPages > 0;
        }
    }

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final StandbyQemu qemu;
    private final GuestMemory memory;
    private final Path directory;
    private final long loadNanos;

    private TrialGuest(final StandbyQemu qemu, final GuestMemory memory, final Path directory, final long loadNanos) {
        this.qemu = qemu;
        this.memory = memory;
        this.directory = directory;
        this.loadNanos = loadNanos;
    }

    /**
     * Starts a QEMU over the copy and lets the guest go on.
     *
     * @param command of the standby
     * @param replica RAM file in it
     * @param ram copy of that file
     * @param deviceState at the same epoch
     * @param disks at the same epoch: their sockets by those of the standby's
     * @param directory for what belongs to it, its owner's alone
     * @throws GuestException if it does not start, or does not take its state
     */
    public static TrialGuest start(
            final List<String> command,
            final Path replica,
            final Path ram,
            final Path deviceState,
            final Map<Path, Path> disks,
            final Path directory)
            throws IOException {
        // It is to take no processor time from the standby's agent, or from other guests.
        final List<String> isolated = new ArrayList<>(List.of("nice", "-n", "10"));
        isolated.addAll(IsolatedCommandLine.of(command, replica, ram, disks, directory));
        isolated.addAll(List.of("-qmp", "unix:" + checkSocket(directory) + ",server=on,wait=off"));
        final StandbyQemu qemu = StandbyQemu.start(new StandbyQemuConfig(isolated, directory));
        GuestMemory memory = null;
        try (Arena arena = Arena.ofConfined()) {
            memory = GuestMemory.mapForCapture(ram);
            final byte[] state = Files.readAllBytes(deviceState);
            final MemorySegment segment = arena.allocate(state.length);
            MemorySegment.copy(state, 0, segment, ValueLayout.JAVA_BYTE, 0, state.length);
            final long startNanos = System.nanoTime();
            qemu.load(segment, state.length);
            final long loadNanos = System.nanoTime() - startNanos;
            qemu.resume();
            return new TrialGuest(qemu, memory, directory, loadNanos);
        } catch (final IOException | RuntimeException e) {
            qemu.close();
            if (memory != null) {
                memory.close();
            }
            throw e;
        }
    }

    private static Path checkSocket(final Path directory) {
        return directory.resolve("check.sock");
    }

    /** How long it took to give it its device state. */
    public long loadNanos() {
        return loadNanos;
    }

    /** Watches it for so long, or until it ends or stops. */
    public Observation observe(final Duration duration) {
        final PageHasher hasher = new PageHasher(memory);
        final long[] before = new long[Math.toIntExact(memory.pageCount())];
        for (int page = 0; page < before.length; page++) {
            before[page] = hasher.hash(page);
        }
        final long endNanos = System.nanoTime() + duration.toNanos();
        String state;
        do {
            LockSupport.parkNanos(LOOK_NANOS);
            state = state();
        } while (state.equals(RunState.RUNNING.qmpName()) && System.nanoTime() - endNanos < 0);
        long changed = 0;
        for (int page = 0; page < before.length; page++) {
            changed += hasher.hash(page) == before[page] ? 0 : 1;
        }
        return new Observation(state, changed);
    }

    private String state() {
        try {
            return qemu.hasExited() ? "ended" : qemu.runState().qmpName();
        } catch (final GuestException e) {
            return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Runs a shell command that looks at it.
     *
     * @return its exit code, or -1 if it took too long
     */
    public int check(final String command, final String vmName, final Duration limit) throws IOException {
        final ProcessBuilder builder = new ProcessBuilder("sh", "-c", command).inheritIO();
        builder.environment().put("RESILIRE_VM", vmName);
        builder.environment().put("RESILIRE_TEST_PID", Long.toString(qemu.pid()));
        builder.environment().put("RESILIRE_TEST_QMP", checkSocket(directory).toString());
        builder.environment()
                .put(
                        "RESILIRE_TEST_CONSOLE",
                        IsolatedCommandLine.console(directory).toString());
        final Process process = builder.start();
        try {
            if (process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                return process.exitValue();
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        return -1;
    }

    /** Removes the files of a copy, after {@link #close}. */
    public static void removeCopy(final Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (final Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(directory);
    }

    @Override
    public void close() {
        qemu.close();
        memory.close();
    }
}
