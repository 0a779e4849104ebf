package org.resilire.guest.qemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How to start a standby.
 *
 * @param command QEMU and its arguments as for the primary, with RAM's {@code mem-path} naming the replica file; without
 *     {@code -daemonize} and {@code -incoming}
 * @param stateDirectory for sockets and the log; one standby in each
 * @param qmpSocket where it answers QMP, and goes on to once it is the guest
 * @param startTimeout until QEMU answers at QMP
 * @param loadTimeout until it has read a device state
 * @param commandTimeout for any other command
 */
public record StandbyQemuConfig(
        List<String> command,
        Path stateDirectory,
        Path qmpSocket,
        Duration startTimeout,
        Duration loadTimeout,
        Duration commandTimeout) {

    public StandbyQemuConfig {
        command = List.copyOf(command);
    }

    /** The defaults. */
    public StandbyQemuConfig(final List<String> command, final Path stateDirectory, final Path qmpSocket) {
        this(command, stateDirectory, qmpSocket, Duration.ofSeconds(20), Duration.ofSeconds(5), Duration.ofSeconds(5));
    }

    /** The defaults, and the QMP socket beside the others. */
    public StandbyQemuConfig(final List<String> command, final Path stateDirectory) {
        this(command, stateDirectory, defaultQmpSocket(stateDirectory));
    }

    /** Where a standby answers QMP unless it was told another place. */
    public static Path defaultQmpSocket(final Path stateDirectory) {
        return stateDirectory.toAbsolutePath().resolve("standby-qmp.sock");
    }
}
