package org.resilire.testbed.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabProcess;

/**
 * pgbench as Debian has it, in the client's namespace: TPC-B-like transactions over a few connections. It ends with an error if one of
 * them breaks. One thread.
 */
final class Pgbench {

    private static final String DATABASE = "bench";
    private static final int CLIENTS = 2;
    private static final Duration END_LIMIT = Duration.ofSeconds(60);

    private static final Pattern PROGRESS =
            Pattern.compile("progress: ([0-9.]+) s, ([0-9.]+) tps, lat ([0-9.]+|NaN) ms .*");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: ([0-9]+) .*");

    private final LabProcess process;

    private Pgbench(final LabProcess process) {
        this.process = process;
    }

    /** Starts a run, which says each second how it goes. */
    static Pgbench start(final Lab lab, final GuestPrograms programs, final String name, final Duration length) {
        final List<String> command = programs.postgresql(
                "pgbench",
                List.of(
                        "--host=" + Lab.GUEST_ADDRESS,
                        "--username=postgres",
                        "--client=" + CLIENTS,
                        "--time=" + length.toSeconds(),
                        "--progress=1",
                        "--progress-timestamp",
                        "--no-vacuum",
                        DATABASE));
        return new Pgbench(lab.start(name, lab.client(), command));
    }

    /**
     * A second of a run.
     *
     * @param epochSeconds its end
     * @param latencyMillis mean; NaN if no transaction ended
     */
    record Second(double epochSeconds, double transactions, double latencyMillis) {}

    /**
     * A run that is over.
     *
     * @param complaint what went wrong; empty if nothing did
     */
    record Outcome(List<Second> seconds, String complaint) {

        /** Transactions a second between two instants, NaN if no whole second lies there. */
        double transactionsPerSecond(final double fromEpochSeconds, final double toEpochSeconds) {
            return seconds.stream()
                    .filter(second ->
                            second.epochSeconds() - 1 >= fromEpochSeconds && second.epochSeconds() <= toEpochSeconds)
                    .mapToDouble(Second::transactions)
                    .average()
                    .orElse(Double.NaN);
        }
    }

    Outcome awaitEnd() {
        process.awaitEnd(END_LIMIT);
        try {
            return outcome(process.exitStatus(), Files.readAllLines(process.log()));
        } catch (final IOException failure) {
            throw new TestbedException("cannot read what pgbench said: " + failure.getMessage(), failure);
        }
    }

    static Outcome outcome(final int exitStatus, final List<String> lines) {
        final List<Second> seconds = new ArrayList<>();
        long failed = -1;
        for (final String line : lines) {
            final Matcher progress = PROGRESS.matcher(line);
            final Matcher failures = FAILED.matcher(line);
            if (progress.matches()) {
                seconds.add(new Second(
                        Double.parseDouble(progress.group(1)),
                        Double.parseDouble(progress.group(2)),
                        Double.parseDouble(progress.group(3))));
            } else if (failures.matches()) {
                failed = Long.parseLong(failures.group(1));
            }
        }
        if (exitStatus != 0 || failed != 0) {
            return new Outcome(
                    List.copyOf(seconds),
                    "pgbench ended with exit status " + exitStatus + (failed < 0 ? "" : ", " + failed + " failed")
                            + ": " + String.join(" | ", lines.subList(Math.max(0, lines.size() - 3), lines.size())));
        }
        return new Outcome(List.copyOf(seconds), "");
    }
}
