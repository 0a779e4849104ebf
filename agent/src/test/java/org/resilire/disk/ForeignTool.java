package org.resilire.disk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs somebody else's program, whose judgement counts more than that of our own client. */
final class ForeignTool {

    private static final long LIMIT_SECONDS = 60;

    private ForeignTool() {}

    /** What it printed, both streams, and how it ended. */
    record Outcome(int exitCode, String output) {}

    static Outcome run(final String... command) throws IOException, InterruptedException {
        final Process process = start(command);
        process.getOutputStream().close();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(String.join(" ", command) + " does not end; so far it printed " + output);
        }
        return new Outcome(process.exitValue(), output);
    }

    /** Output of a run that must succeed. */
    static String succeed(final String... command) throws IOException, InterruptedException {
        final Outcome outcome = run(command);
        if (outcome.exitCode() != 0) {
            throw new AssertionError(
                    String.join(" ", command) + " ended with " + outcome.exitCode() + ": " + outcome.output());
        }
        return outcome.output();
    }

    static Process start(final String... command) throws IOException {
        try {
            return new ProcessBuilder(List.of(command))
                    .redirectErrorStream(true)
                    .start();
        } catch (final IOException missing) {
            throw new AssertionError(
                    "cannot start " + command[0]
                            + ", which this test needs; the packages libnbd-bin and qemu-utils have it"
                            + " (testbed/run installs them)",
                    missing);
        }
    }
}
