package org.resilire.guest.qemu;

import java.nio.file.Path;
import java.time.Duration;
import org.resilire.guest.PausedMarker;
import org.resilire.guest.tracking.TrackerChoice;

/**
 * Which guest to attach to, and how.
 *
 * @param qmpSocket socket of QEMU's {@code -qmp unix:PATH,server=on,wait=off}; QMP serves one client, so it is this agent's
 * @param ramFile the {@code mem-path} of the guest's shared memory backend
 * @param stateDirectory on tmpfs, writable by QEMU: receives the device state at every checkpoint
 * @param pausedMarker told around every pause
 * @param tracker which mechanism finds written pages
 * @param scanThreads that look for them, the collecting one included
 * @param greetingTimeout how long QMP may take to greet: longer means that it serves somebody else
 * @param commandTimeout how long QEMU may take for one command of a checkpoint
 * @param isPauseInherited an agent that died may have left the guest paused: it stays so until this one resumes it
 */
public record QemuGuestConfig(
        Path qmpSocket,
        Path ramFile,
        Path stateDirectory,
        PausedMarker pausedMarker,
        TrackerChoice tracker,
        int scanThreads,
        Duration greetingTimeout,
        Duration commandTimeout,
        boolean isPauseInherited) {

    /** The defaults. */
    public QemuGuestConfig(final Path qmpSocket, final Path ramFile, final Path stateDirectory) {
        this(
                qmpSocket,
                ramFile,
                stateDirectory,
                PausedMarker.NONE,
                TrackerChoice.AUTO,
                1,
                Duration.ofSeconds(2),
                Duration.ofSeconds(10),
                false);
    }

    public QemuGuestConfig withPausedMarker(final PausedMarker marker) {
        return new QemuGuestConfig(
                qmpSocket,
                ramFile,
                stateDirectory,
                marker,
                tracker,
                scanThreads,
                greetingTimeout,
                commandTimeout,
                isPauseInherited);
    }

    public QemuGuestConfig withTracker(final TrackerChoice choice) {
        return new QemuGuestConfig(
                qmpSocket,
                ramFile,
                stateDirectory,
                pausedMarker,
                choice,
                scanThreads,
                greetingTimeout,
                commandTimeout,
                isPauseInherited);
    }

    public QemuGuestConfig withTimeouts(final Duration greeting, final Duration command) {
        return new QemuGuestConfig(
                qmpSocket,
                ramFile,
                stateDirectory,
                pausedMarker,
                tracker,
                scanThreads,
                greeting,
                command,
                isPauseInherited);
    }

    public QemuGuestConfig withScanThreads(final int threads) {
        return new QemuGuestConfig(
                qmpSocket,
                ramFile,
                stateDirectory,
                pausedMarker,
                tracker,
                threads,
                greetingTimeout,
                commandTimeout,
                isPauseInherited);
    }

    public QemuGuestConfig withPauseInherited(final boolean isAllowed) {
        return new QemuGuestConfig(
                qmpSocket,
                ramFile,
                stateDirectory,
                pausedMarker,
                tracker,
                scanThreads,
                greetingTimeout,
                commandTimeout,
                isAllowed);
    }
}
