package org.resilire.testbed.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentCommandLine;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabHost;
import org.resilire.testbed.lab.Namespace;

/**
 * A run of {@code resilire} from beginning to end, as a user sees it.
 *
 * @param exitStatus 0 to 255
 * @param output what it printed
 * @param errors what it printed on standard error, without what the JVM itself says there
 */
record CommandRun(int exitStatus, List<String> output, List<String> errors) {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Runs a command about the lab's guest on a host, where an agent has it or its standby. */
    static CommandRun about(final Lab lab, final LabHost host, final String... command) {
        return run(host.namespace(), AgentCommandLine.about(lab, host, command));
    }

    /** Runs it inside a namespace and waits for its end. */
    static CommandRun in(final Namespace namespace, final List<String> arguments) {
        return in(namespace, List.of(), arguments);
    }

    /** The same, started by another command that takes a command line at its end. */
    static CommandRun in(final Namespace namespace, final List<String> starter, final List<String> arguments) {
        final List<String> command = new ArrayList<>(starter);
        command.add(AgentCommandLine.launcher());
        command.addAll(arguments);
        return run(namespace, command);
    }

    private static CommandRun run(final Namespace namespace, final List<String> command) {
        Path output = null;
        Path errors = null;
        try {
            output = Files.createTempFile("resilire-", ".out");
            errors = Files.createTempFile("resilire-", ".err");
            final Process process = new ProcessBuilder(namespace.wrap(command))
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new TestbedException(String.join(" ", command) + " did not end within " + LIMIT.toSeconds()
                        + " s: " + Files.readString(errors));
            }
            return new CommandRun(
                    process.exitValue(),
                    Files.readAllLines(output),
                    Files.readAllLines(errors).stream()
                            .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                            .toList());
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while resilire ran", interrupted);
        } finally {
            delete(output);
            delete(errors);
        }
    }

    private static void delete(final Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
