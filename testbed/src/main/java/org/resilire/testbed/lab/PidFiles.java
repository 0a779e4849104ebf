package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.resilire.control.ProcessIdentity;

/** {@code NAME.pid} with {@code PID STARTTIME}: for {@code testbed/run clean} after a crash, and for fencing. */
final class PidFiles {

    private final Path directory;

    PidFiles(final Path directory) {
        this.directory = directory;
    }

    Path of(final String name) {
        return directory.resolve(name + ".pid");
    }

    /** At once or not at all, for others read it at any time. */
    void write(final String name, final ProcessIdentity identity) {
        try {
            final Path unfinished = directory.resolve(name + ".pid.new");
            Files.writeString(unfinished, identity.pid() + " " + identity.startTicks() + "\n");
            Files.move(unfinished, of(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
