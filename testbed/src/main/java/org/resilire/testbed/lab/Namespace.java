package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.linux.PidFd;

/**
 * A network namespace of this machine, which stands for a host or a switch.
 *
 * @param name as {@code ip netns} knows it
 */
public record Namespace(String name) {

    private static final Path MOUNTS = Path.of("/run/netns");
    private static final Path PROC = Path.of("/proc");

    /**
     * The command that runs a command inside. Its process id is that of the command itself, for {@code setsid} and
     * {@code ip} replace themselves; in a session of its own it does not get the terminal's Ctrl-C.
     */
    public List<String> wrap(final List<String> command) {
        final List<String> wrapped = new ArrayList<>(List.of("setsid", "ip", "netns", "exec", name));
        wrapped.addAll(command);
        return wrapped;
    }

    void create() {
        Commands.run("ip", "netns", "add", name);
    }

    /** Runs {@code ip} commands inside, one a line. */
    void configure(final String ipCommands) {
        Commands.run(List.of("ip", "-n", name, "-batch", "-"), ipCommands);
    }

    /** Runs a shell command inside and returns its output. */
    String shell(final String command, final String input) {
        return Commands.run(List.of("ip", "netns", "exec", name, "sh", "-c", command), input);
    }

    boolean exists() {
        return Files.exists(MOUNTS.resolve(name));
    }

    void delete() {
        Commands.run("ip", "netns", "delete", name);
    }

    /** The processes inside, each held so that its id cannot come to mean another. The caller closes them. */
    List<PidFd> processes() {
        final List<PidFd> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            final String link = "net:[" + Files.getAttribute(MOUNTS.resolve(name), "unix:ino") + "]";
            for (final Path process : processes) {
                if (isInside(process, link)) {
                    final PidFd held = hold(process);
                    // Looked at again, now that the id cannot change its meaning.
                    if (held != null && isInside(process, link)) {
                        found.add(held);
                    } else if (held != null) {
                        held.close();
                    }
                }
            }
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (final DirectoryIteratorException failure) {
            throw new UncheckedIOException(failure.getCause());
        }
        return found;
    }

    private static boolean isInside(final Path process, final String link) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/net")).toString().equals(link);
        } catch (final IOException gone) {
            return false;
        }
    }

    private static PidFd hold(final Path process) {
        return ProcessKill.hold(Long.parseLong(process.getFileName().toString()));
    }
}
