package org.resilire.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process, once and for all: its id and when it started, in clock ticks since boot. An id alone is used again.
 *
 * @param pid its id
 * @param startTicks field 22 of {@code /proc/PID/stat}
 */
public record ProcessIdentity(long pid, long startTicks) {

    /** The fields of {@code stat} behind the command's closing parenthesis begin with the third. */
    private static final int START_TICKS_INDEX = 22 - 3;

    /** This process. */
    public static ProcessIdentity ofSelf() {
        final long pid = ProcessHandle.current().pid();
        return of(pid).orElseThrow(() -> new IllegalStateException("/proc does not show process " + pid));
    }

    /** The process that has this id now. */
    public static Optional<ProcessIdentity> of(final long pid) {
        try {
            final String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            final int commandEnd = stat.lastIndexOf(')');
            final String[] fields = stat.substring(commandEnd + 2).split(" ", -1);
            return Optional.of(new ProcessIdentity(pid, Long.parseLong(fields[START_TICKS_INDEX])));
        } catch (final IOException gone) {
            return Optional.empty();
        }
    }

    /** Whether this very process runs, and not another that got its id. */
    public boolean isAlive() {
        return of(pid).filter(this::equals).isPresent();
    }

    /** As in a pid file: {@code 1234 567890}. */
    String toLine() {
        return pid + " " + startTicks + "\n";
    }

    /** The opposite of {@link #toLine()}; empty if the line is none. */
    static Optional<ProcessIdentity> parse(final String line) {
        final String[] fields = line.strip().split(" ", -1);
        if (fields.length != 2) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ProcessIdentity(Long.parseLong(fields[0]), Long.parseLong(fields[1])));
        } catch (final NumberFormatException notOne) {
            return Optional.empty();
        }
    }
}
