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
 * @param startTimeout until QEMU answers at QMP
 * @param loadTimeout until it has read a device state
 * @param commandTimeout for any other command
 */
public record StandbyQemuConfig(
        List<String> command,
        Path stateDirectory,
        Duration startTimeout,
        Duration loadTimeout,
        Duration commandTimeout) {

    public StandbyQemuConfig {
        command = List.copyOf(command);
    }

    /** The defaults. */
    public StandbyQemuConfig(final List<String> command, final Path stateDirectory) {
        this(command, stateDirectory, Duration.ofSeconds(20), Duration.ofSeconds(5), Duration.ofSeconds(5));
    }
}
