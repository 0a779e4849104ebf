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
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.load.LoadOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code testbed/run demo}. */
@Command(
        name = "testbed/run demo",
        sortOptions = false,
        usageHelpAutoWidth = true,
        header = "A guest with Redis and a web server outlives its host.",
        description = {
            "",
            "Boots a guest on host A, protects it with a standby on host B, and lets clients write to it. Then QEMU and the"
                    + " agent of host A are killed with SIGKILL at a random instant. Host B takes over, the clients go on with the"
                    + " connections they have, and in the end everything they were ever told is compared with what is there."
                    + " The hosts are network namespaces of this machine.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  testbed/run demo",
            "  testbed/run demo --json result.json --seconds 20 --verify-every 50",
            "  testbed/run demo --idle --memory 1G --cpus 2",
            "  testbed/run demo --protect '--mode remus'",
            "  testbed/run demo --repeat 20 --seconds 5 --json series.json",
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:every promise was kept",
            "1:a promise was broken: which one is said",
            "2:an argument is wrong",
            "3:it could not be shown: something before the failover did not work"
        })
public final class DemoCommand implements Callable<Integer> {

    private static final int BROKEN_PROMISE = 1;
    private static final int NOT_SHOWN = 3;

    @Spec
    private CommandSpec spec;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there, too.")
    private Path json;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description = "Fail over N times, each with a fresh guest, and show the distributions.")
    private int repeat;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "256M",
            converter = MemoryConverter.class,
            description = "The guest's memory. Default: ${DEFAULT-VALUE}.")
    private int memoryMiB;

    @Option(
            names = "--cpus",
            paramLabel = "N",
            defaultValue = "1",
            description = "The guest's virtual processors. Default: ${DEFAULT-VALUE}.")
    private int cpus;

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
            defaultValue = "10",
            description = "How long the guest runs protected before its host dies. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "4",
            description = "Clients of Redis. Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--idle",
            description =
                    "Keep the clients silent while pauses are measured, and wake them shortly before the failover.")
    private boolean isIdle;

    @Option(
            names = "--verify-every",
            paramLabel = "N",
            defaultValue = "0",
            description = "Let the agents compare all memory at every N-th epoch, too; such a pause is long."
                    + " 0: only a few times.")
    private int verifyEvery;

    @Option(
            names = "--verifications",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often the demo asks for a comparison. Default: ${DEFAULT-VALUE}.")
    private int verifications;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the instant of the kill; random if not given, and always shown.")
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
        final DemoCommand demo = new DemoCommand();
        Program.run(demo, NOT_SHOWN, () -> demo.isVerbose, arguments);
    }

    @Override
    public Integer call() {
        requireAtLeast("--repeat", repeat, 1);
        requireAtLeast("--memory in MiB", memoryMiB, GuestConfig.MIN_MEMORY_MIB);
        requireAtLeast("--cpus", cpus, 1);
        requireAtLeast("--seconds", seconds, 1);
        requireAtLeast("--connections", connections, 1);
        requireAtLeast("--verify-every", verifyEvery, 0);
        requireAtLeast("--verifications", verifications, 0);
        if (json != null) {
            DemoReport.requireWritable(json);
        }
        final Narrator narrator = new Narrator(spec.commandLine().getOut(), repeat == 1 || isVerbose);
        final DemoReport report = new DemoReport(narrator);
        final List<FailoverResult> runs = runAll(plan(), narrator, report);
        return runs.stream().allMatch(run -> run.brokenPromises().isEmpty()) ? CommandLine.ExitCode.OK : BROKEN_PROMISE;
    }

    private void requireAtLeast(final String option, final int value, final int least) {
        if (value < least) {
            throw new ParameterException(spec.commandLine(), option + " must be at least " + least);
        }
    }

    private FailoverPlan plan() {
        final LoadOptions load = LoadOptions.defaults().withConnections(connections);
        return new FailoverPlan(
                new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, cpus),
                AgentOptions.defaults()
                        .withPeriod(period)
                        .withVerifyEvery(verifyEvery)
                        .withDetectTimeout(detectTimeout)
                        .withPrimaryExtra(protectArguments()),
                isIdle ? load.resting() : load,
                isIdle,
                Duration.ofSeconds(seconds),
                verifications,
                // Short, so that it is easily given again.
                seed != null ? seed : new SplittableRandom().nextLong(1_000_000));
    }

    private String[] protectArguments() {
        return protectArguments.isBlank()
                ? new String[0]
                : protectArguments.strip().split("\\s+");
    }

    private List<FailoverResult> runAll(final FailoverPlan plan, final Narrator narrator, final DemoReport report) {
        final List<FailoverResult> runs = new ArrayList<>();
        for (int number = 1; number <= repeat; number++) {
            final FailoverResult run = runOnce(plan.withSeed(plan.seed() + number - 1), logsOf(number), narrator);
            runs.add(run);
            if (json != null) {
                // After each: what was measured is not lost if a later run cannot be made.
                DemoReport.writeJson(json, DemoReport.jsonOf(runs));
            }
            if (repeat == 1) {
                report.table(run);
            } else {
                report.line(number, repeat, run);
            }
        }
        if (repeat > 1) {
            report.series(FailoverSeries.of(runs));
        }
        return runs;
    }

    /** In a lab of its own, so that no run inherits anything. */
    private static FailoverResult runOnce(final FailoverPlan plan, final Path logs, final Narrator narrator) {
        try (Lab lab = Lab.create(logs);
                FailoverRun run = new FailoverRun(lab, plan, narrator)) {
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
