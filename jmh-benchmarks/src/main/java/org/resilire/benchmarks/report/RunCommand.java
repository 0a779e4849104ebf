package org.resilire.benchmarks.report;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.resilire.benchmarks.yardstick.CCompiler;
import org.resilire.benchmarks.yardstick.CKernels;
import org.resilire.simd.BlockKernels;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs benchmarks and prints them as a table. */
@Command(
        name = "jmh-benchmarks/run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Measures parts of the agent alone, each against the limits of this machine in the same run.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  jmh-benchmarks/run --quick",
            "  jmh-benchmarks/run --only kernels,fused --out /tmp/kernels.json",
            "  jmh-benchmarks/run --from /tmp/kernels.json"
        })
public final class RunCommand implements Callable<Integer> {

    private static final int EXIT_FAILED = 1;
    private static final String QUICK_GUEST_MEBIBYTES = "128";
    private static final int QUICK_MILLIS = 100;

    @Option(
            names = "--quick",
            description = "Short measurements in one JVM each: an impression in under three minutes.")
    private boolean quick;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "GROUP",
            description = "Only these groups: ${COMPLETION-CANDIDATES}.")
    private Set<BenchmarkGroup> only = EnumSet.allOf(BenchmarkGroup.class);

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Where JMH's results go, as JSON; its log stands beside them, as FILE.log (default:"
                    + " ${DEFAULT-VALUE}).")
    private Path out = Path.of("jmh-benchmarks/target/results.json");

    @Option(names = "--from", paramLabel = "FILE", description = "Print the table of an earlier run, and run nothing.")
    private Path from;

    /** Runs the command and exits with its status: 0 if all benchmarks ran, 1 if one did not, 2 for wrong usage. */
    public static void main(final String[] arguments) {
        System.exit(new CommandLine(new RunCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, line, result) -> {
                    line.getErr().println("jmh-benchmarks/run: " + e.getMessage());
                    return EXIT_FAILED;
                })
                .execute(arguments));
    }

    @Override
    public Integer call() throws RunnerException {
        if (from != null) {
            System.out.print(new Report(ResultFile.read(from)).render());
            return 0;
        }
        final Path log = Path.of(out + ".log");
        final Set<String> failed = run(log);
        System.out.print(new Report(ResultFile.read(out)).render());
        System.out.println("\nResults: " + out);
        for (final String name : failed) {
            System.out.println("FAILED: " + name + " (see " + log + ")");
        }
        return failed.isEmpty() ? 0 : EXIT_FAILED;
    }

    private Set<String> run(final Path log) throws RunnerException {
        System.out.println(machine());
        try (PrintStream text = open(log)) {
            final OutputFormat jmh = OutputFormatFactory.createFormatInstance(text, VerboseMode.NORMAL);
            final Progress progress = new Progress(jmh, System.out);
            new Runner(options(), progress).run();
            return progress.failed();
        }
    }

    private Options options() {
        final ChainedOptionsBuilder options = new OptionsBuilder()
                .addProfiler(GCProfiler.class)
                .resultFormat(ResultFormatType.JSON)
                .result(out.toString());
        only.forEach(group -> options.include(group.pattern()));
        final Optional<String> problem = CCompiler.problem();
        if (problem.isPresent()) {
            System.out.println("The C yardsticks are left out: " + problem.get() + ".");
            options.exclude(CKernels.BENCHMARKS);
        }
        if (quick) {
            options.param("guestMebibytes", QUICK_GUEST_MEBIBYTES)
                    .forks(1)
                    .warmupIterations(1)
                    .warmupTime(TimeValue.milliseconds(2 * QUICK_MILLIS))
                    .measurementIterations(3)
                    .measurementTime(TimeValue.milliseconds(QUICK_MILLIS));
        }
        return options.build();
    }

    private static String machine() {
        return "JDK " + System.getProperty("java.version") + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, "
                + BlockKernels.preferred().reason();
    }

    private static PrintStream open(final Path log) {
        try {
            if (log.getParent() != null) {
                Files.createDirectories(log.getParent());
            }
            return new PrintStream(Files.newOutputStream(log), true, StandardCharsets.UTF_8);
        } catch (final IOException e) {
            throw new UncheckedIOException("cannot write " + log + ": " + e.getMessage(), e);
        }
    }
}
