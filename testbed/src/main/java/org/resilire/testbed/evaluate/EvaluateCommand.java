package org.resilire.testbed.evaluate;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.ProgramOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code testbed/run evaluate}. */
@Command(
        name = "testbed/run evaluate",
        header = "Measures guests under load in every mode of replication, beside the papers' claims.",
        description = {
            "",
            "Boots guests, protects them in one mode after another and measures pauses, commit latency, bytes, overhead,"
                    + " memory and processor time. Writes DIR/results.json, with every sample, and DIR/report.html. Points"
                    + " that DIR/results.json has already are not measured again: a run that was cut off goes on where it was.",
            "",
            "Experiments:",
            "  modes      every workload in every mode",
            "  pause      pause against dirty pages per epoch, FGBI beside Remus",
            "  overhead   NPB-EP at 10 and 40 epochs/s, with the share of stop and cont alone",
            "  size       cost against the guest's size at a constant dirty set (synthetic guest)",
            "  synthetic  dirty rates that an emulated guest cannot reach (synthetic guest)",
            "  migration  QEMU's own migration beside the initial synchronisation",
            "  delay      what a client waits for 1 ms of work, by when checkpoints are made",
            "  trial      what clients feel of a test of the standby ('resilire test-failover')",
            "  llm        input replay beside Remus and FGBI: delay, type I downtime, what happens to answers",
            "  disk       a disk through the agent's NBD server beside qemu-nbd",
            ""
        },
        footer = {
            "  testbed/run evaluate --quick --out /tmp/figures",
            "  testbed/run evaluate --only modes --workloads redis,npb-ep --modes remus-raw,fgbi-both --out figures",
            "  testbed/run evaluate --only trial --out figures",
            "  testbed/run evaluate --report-only --out figures",
        },
        exitCodeList = {
            "0:everything was measured",
            "1:something could not be measured, or memories differed: what is said, and is in the report",
            "2:an argument is wrong",
            "3:it could not be begun, or its files could not be written"
        })
public final class EvaluateCommand implements Callable<Integer> {

    private static final int INCOMPLETE = 1;
    private static final int NOT_MEASURED = 3;

    /** The order in which they are run: what is quick and tells most comes first. */
    private static final List<Experiment> EXPERIMENTS = List.of(
            new ModesExperiment(),
            new PauseExperiment(),
            new OverheadExperiment(),
            new SyntheticExperiments.Size(),
            new SyntheticExperiments.Rate(),
            new MigrationExperiment(),
            new DelayExperiment(),
            new TrialExperiment(),
            new ReplayExperiment(),
            new DiskExperiment());

    @Mixin
    private ProgramOptions options;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Where results.json and report.html go.")
    private Path out;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "Experiments to run. Default: all.")
    private List<String> only = List.of();

    @Option(
            names = "--workloads",
            split = ",",
            paramLabel = "NAME",
            description = "Of the experiment modes. Default: all.")
    private List<String> workloads = List.of();

    @Option(names = "--modes", split = ",", paramLabel = "NAME", description = "Of the experiment modes. Default: all.")
    private List<String> modes = List.of();

    @Option(names = "--quick", description = "3 samples instead of 20, and fewer points: to see that it works.")
    private boolean isQuick;

    @Option(names = "--report-only", description = "Measure nothing; make the report from the results that are there.")
    private boolean isReportOnly;

    /** Ends with the exit status that the help lists. */
    public static void main(final String[] arguments) {
        // Drawings need no screen.
        System.setProperty("java.awt.headless", "true");
        Program.run(new EvaluateCommand(), NOT_MEASURED, () -> false, arguments);
    }

    @Override
    public Integer call() {
        final List<Experiment> chosen = experiments();
        final EvaluationPlan plan = isQuick
                ? EvaluationPlan.quick(chosenWorkloads(), chosenModes())
                : EvaluationPlan.full(chosenWorkloads(), chosenModes());
        final PrintWriter terminal = options.out();
        final Results results = Results.open(out, plan.settings());
        if (isReportOnly) {
            terminal.println("report: " + Report.write(out, results));
            return CommandLine.ExitCode.OK;
        }
        results.begin(new Results.Run(Instant.now(), Machine.facts()));
        final Evaluation evaluation = new Evaluation(
                plan,
                chosen.stream()
                        .flatMap(experiment -> experiment.points(plan).stream())
                        .toList(),
                results,
                terminal,
                Program::isEnding);
        for (final Experiment experiment : chosen) {
            evaluation.say("== %s: %s", experiment.name(), experiment.title());
            experiment.run(evaluation);
            // After each: a run that is cut off has a report of what it has.
            Report.write(out, results);
        }
        evaluation.say("%s and %s", out.resolve("results.json"), out.resolve("report.html"));
        return evaluation.hasFailures() || evaluation.hasDifferences() ? INCOMPLETE : CommandLine.ExitCode.OK;
    }

    private List<Experiment> experiments() {
        only.stream()
                .filter(name -> EXPERIMENTS.stream()
                        .noneMatch(experiment -> experiment.name().equals(name)))
                .findFirst()
                .ifPresent(name -> {
                    throw options.wrong("there is no experiment '" + name + "'");
                });
        return EXPERIMENTS.stream()
                .filter(experiment -> only.isEmpty() || only.contains(experiment.name()))
                .toList();
    }

    private List<Workload> chosenWorkloads() {
        try {
            return workloads.isEmpty()
                    ? List.of(Workload.values())
                    : workloads.stream().map(Workload::labelled).toList();
        } catch (final IllegalArgumentException unknown) {
            throw options.wrong(unknown.getMessage());
        }
    }

    private List<ProtectionMode> chosenModes() {
        try {
            return modes.isEmpty()
                    ? ProtectionMode.ALL
                    : modes.stream().map(ProtectionMode::named).toList();
        } catch (final IllegalArgumentException unknown) {
            throw options.wrong(unknown.getMessage());
        }
    }
}
