package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.resilire.testbed.TestbedException;

/** Runs the short commands that set up the lab. */
final class Commands {

    private static final long LIMIT_SECONDS = 20;

    private Commands() {}

    static void run(final String... command) {
        run(List.of(command), "");
    }

    /**
     * Runs a command to its end and returns its output, stripped.
     *
     * @param input what it reads; small, since nobody reads its output meanwhile
     * @throws TestbedException with its output, unless it exits with 0
     */
    static String run(final List<String> command, final String input) {
        final Outcome outcome = outcome(command, input);
        if (outcome.exitStatus() != 0) {
            throw new TestbedException("'" + String.join(" ", command) + "' failed with exit status "
                    + outcome.exitStatus() + (outcome.output().isEmpty() ? "" : ": " + outcome.output()));
        }
        return outcome.output();
    }

    /**
     * How a command ended.
     *
     * @param output both streams, stripped
     */
    record Outcome(int exitStatus, String output) {}

    /** Runs a command to its end, whatever that is. */
    static Outcome outcome(final String... command) {
        return outcome(List.of(command), "");
    }

    private static Outcome outcome(final List<String> command, final String input) {
        final String shown = String.join(" ", command);
        try {
            final Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            writeInput(process, input);
            final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new TestbedException("'" + shown + "' did not end within " + LIMIT_SECONDS + " s");
            }
            return new Outcome(process.exitValue(), output);
        } catch (final IOException failure) {
            throw new TestbedException("cannot run '" + shown + "': " + failure.getMessage(), failure);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while '" + shown + "' ran", interrupted);
        }
    }

    private static void writeInput(final Process process, final String input) throws IOException {
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (final IOException closedEarly) {
            // A command that fails early does not read to the end: its exit status tells more than a broken pipe.
            if (process.isAlive()) {
                throw closedEarly;
            }
        }
    }
}
