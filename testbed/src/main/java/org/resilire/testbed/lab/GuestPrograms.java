package org.resilire.testbed.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.testbed.TestbedException;

/**
 * The disk for guests that have one, and the programs on it as files of this host, where none of them is installed.
 *
 * @param disk an image, not to be changed
 * @param root a directory with the same programs and their libraries
 */
public record GuestPrograms(Path disk, Path root) {

    private static final Path LOADER = Path.of("lib64", "ld-linux-x86-64.so.2");
    private static final Path LIBRARIES = Path.of("lib", "x86_64-linux-gnu");
    private static final Path POSTGRESQL = Path.of("usr", "lib", "postgresql", "15", "bin");

    /** What {@code testbed/run} has built and named in the environment. */
    public static GuestPrograms fromEnvironment() {
        return new GuestPrograms(existing("RESILIRE_GUEST_DISK"), existing("RESILIRE_GUEST_PROGRAMS"));
    }

    private static Path existing(final String variable) {
        final String value = System.getenv(variable);
        if (value == null || value.isBlank() || !Files.exists(Path.of(value))) {
            throw new TestbedException(variable + " names no file: start this by testbed/run, which sets it");
        }
        return Path.of(value);
    }

    /** The command that runs a program of PostgreSQL on this host, with the libraries that it was built for. */
    public List<String> postgresql(final String program, final List<String> arguments) {
        return command(POSTGRESQL.resolve(program), arguments);
    }

    /** The command that runs fio on this host. */
    public List<String> fio(final List<String> arguments) {
        return command(Path.of("usr", "bin", "fio"), arguments);
    }

    private List<String> command(final Path program, final List<String> arguments) {
        final List<String> command = new ArrayList<>(List.of(
                root.resolve(LOADER).toString(),
                "--library-path",
                root.resolve(LIBRARIES).toString(),
                root.resolve(program).toString()));
        command.addAll(arguments);
        return command;
    }
}
