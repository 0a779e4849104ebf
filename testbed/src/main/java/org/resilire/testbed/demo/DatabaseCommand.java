package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.load.LoadOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code testbed/run postgres}. */
@Command(
        name = "testbed/run postgres",
        sortOptions = false,
        usageHelpAutoWidth = true,
        header = "PostgreSQL on a replicated disk outlives its host.",
        description = {
            "",
            "Boots a guest with PostgreSQL on host A, whose agent serves its disk, and protects both with a standby on host B. Two"
                    + " clients remember every transaction whose COMMIT was answered, and pgbench runs beside them. Then QEMU and"
                    + " the agent of host A are killed with SIGKILL at a random instant. In the end every acknowledged transaction"
                    + " must be in the database that goes on, and in the one that PostgreSQL recovers from a copy of host B's disk"
                    + " taken at the failover; that copy is checked by e2fsck, pg_amcheck and pg_checksums.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  testbed/run postgres",
            "  testbed/run postgres --repeat 20 --seed 1 --json series.json",
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:every promise was kept",
            "1:a promise was broken: which one is said",
            "2:an argument is wrong",
            "3:it could not be shown: something before the failover did not work"
        })
public final class DatabaseCommand implements Callable<Integer> {

    private static final int BROKEN_PROMISE = 1;
    private static final int NOT_SHOWN = 3;

    /** Less is not enough for PostgreSQL beside everything else. */
    private static final int MIN_MEMORY_MIB = 256;

    @Spec
    private CommandSpec spec;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there, too.")
    private Path json;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description = "Fail over N times, each with a fresh guest and disk, and show the distributions.")
    private int repeat;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "384M",
            converter = MemoryConverter.class,
            description = "The guest's memory. Default: ${DEFAULT-VALUE}.")
    private int memoryMiB;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            defaultValue = "20ms",
            converter = MillisConverter.class,
            description = "From checkpoint to checkpoint. Default: ${DEFAULT-VALUE}.")
    private Duration period;

    @Option(
            names = "--detect-timeout",
            paramLabel = "TIME",
            defaultValue = "100ms",
            converter = MillisConverter.class,
            description =
                    "Silence after which a host counts as failed; more where the machine is busy with other things."
                            + " Default: ${DEFAULT-VALUE}.")
    private Duration detectTimeout;

    @Option(
            names = "--protect",
            paramLabel = "ARGS",
            defaultValue = "",
            description =
                    "More arguments of 'resilire protect', between blanks, as in --protect '--mode remus --codec lz4'.")
    private String protectArguments;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "8",
            description = "How long the guest runs protected before its host dies. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "2",
            description = "Clients that remember, besides pgbench's two. Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the instants of the kills; random if not given, and always shown.")
    private Long seed;

    @Option(
            names = "--keep-logs",
            paramLabel = "DIR",
            description = "Keep logs, consoles and the clients' records there.")
    private Path keepLogs;

    @Option(names = "--verbose", description = "Show every step of repeated runs, and stack traces.")
    private boolean isVerbose;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean isHelpWanted;

    public static void main(final String[] arguments) {
        final DatabaseCommand command = new DatabaseCommand();
        Program.run(command, NOT_SHOWN, () -> command.isVerbose, arguments);
    }

    @Override
    public Integer call() {
        requireAtLeast("--repeat", repeat, 1);
        requireAtLeast("--memory in MiB", memoryMiB, MIN_MEMORY_MIB);
        requireAtLeast("--seconds", seconds, 1);
        requireAtLeast("--connections", connections, 1);
        if (json != null) {
            DemoReport.requireWritable(json);
        }
        final Narrator narrator = new Narrator(spec.commandLine().getOut(), repeat == 1 || isVerbose);
        final List<DatabaseResult> runs = runAll(plan(), narrator, new DatabaseReport(narrator));
        return runs.stream().allMatch(run -> run.brokenPromises().isEmpty()) ? CommandLine.ExitCode.OK : BROKEN_PROMISE;
    }

    private void requireAtLeast(final String option, final int value, final int least) {
        if (value < least) {
            throw new ParameterException(spec.commandLine(), option + " must be at least " + least);
        }
    }

    private DatabasePlan plan() {
        final String[] more = protectArguments.isBlank()
                ? new String[0]
                : protectArguments.strip().split("\\s+");
        return new DatabasePlan(
                new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, 1).withDisks(DatabaseRun.DISK),
                GuestPrograms.fromEnvironment(),
                AgentOptions.defaults()
                        .withPeriod(period)
                        .withDetectTimeout(detectTimeout)
                        .withDisks(DatabaseRun.DISK)
                        .withPrimaryExtra(more),
                LoadOptions.database().withConnections(connections),
                Duration.ofSeconds(seconds),
                // Short, so that it is easily given again.
                seed != null ? seed : new SplittableRandom().nextLong(1_000_000));
    }

    private List<DatabaseResult> runAll(final DatabasePlan plan, final Narrator narrator, final DatabaseReport report) {
        final List<DatabaseResult> runs = new ArrayList<>();
        for (int number = 1; number <= repeat; number++) {
            final DatabaseResult run = runOnce(plan.withSeed(plan.seed() + number - 1), logsOf(number), narrator);
            runs.add(run);
            if (json != null) {
                // After each: what was measured is not lost if a later run cannot be made.
                DemoReport.writeJson(json, DatabaseReport.jsonOf(runs));
            }
            if (repeat == 1) {
                report.table(run);
            } else {
                report.line(number, repeat, run);
            }
        }
        if (repeat > 1) {
            report.series(DatabaseSeries.of(runs));
        }
        return runs;
    }

    /** In a lab of its own, so that no run inherits anything. */
    private static DatabaseResult runOnce(final DatabasePlan plan, final Path logs, final Narrator narrator) {
        try (Lab lab = Lab.create(logs);
                DatabaseRun run = new DatabaseRun(lab, plan, narrator)) {
            return run.run();
        }
    }

    private Path logsOf(final int number) {
        if (keepLogs == null) {
            return null;
        }
        final Path logs = keepLogs.toAbsolutePath();
        return repeat == 1 ? logs : logs.resolve(String.format(Locale.ROOT, "run-%03d", number));
    }
}
