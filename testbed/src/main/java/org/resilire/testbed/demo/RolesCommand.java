package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.Lab;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code testbed/run roles}. */
@Command(
        name = "testbed/run roles",
        sortOptions = false,
        usageHelpAutoWidth = true,
        header = "Two hosts change roles, again and again, and their guest's clients find every answer true.",
        description = {
            "",
            "Boots a guest on host A with a standby on host B and clients that remember what they were answered. Then the host that"
                    + " runs the guest dies, with all that runs on it, at a random instant; the other one takes over; a standby is"
                    + " offered on the first as after a repair, and the guest is protected again, without an operator on the side"
                    + " that runs it. Over and over. With --planned the guest is moved by 'resilire switchover' instead.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  testbed/run roles",
            "  testbed/run roles --changes 10 --disk --json chain.json",
            "  testbed/run roles --changes 20 --disk --planned",
            "  testbed/run roles --planned --protect '--mode llm'",
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:every promise was kept",
            "1:a promise was broken: which one is said",
            "2:an argument is wrong",
            "3:it could not be shown: something did not work"
        })
public final class RolesCommand implements Callable<Integer> {

    private static final int BROKEN_PROMISE = 1;
    private static final int NOT_SHOWN = 3;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--changes",
            paramLabel = "N",
            defaultValue = "4",
            description = "How often the roles change. Default: ${DEFAULT-VALUE}.")
    private int changes;

    @Option(names = "--planned", description = "Move the guest instead of killing its host.")
    private boolean isPlanned;

    @Option(
            names = "--disk",
            description = "The guest has a replicated disk, with an ext4 file system that Redis writes to.")
    private boolean hasDisk;

    @Option(
            names = "--between",
            paramLabel = "TIME",
            defaultValue = "1000ms",
            converter = MillisConverter.class,
            description = "How long the guest is protected before each change, and up to as long again."
                    + " Default: ${DEFAULT-VALUE}.")
    private Duration between;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "256M",
            converter = MemoryConverter.class,
            description = "The guest's memory. Default: ${DEFAULT-VALUE}.")
    private int memoryMiB;

    @Option(
            names = "--detect-timeout",
            paramLabel = "TIME",
            defaultValue = "200ms",
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
                    "More arguments for both agents, of 'resilire protect', between blanks, as in --protect '--mode llm'.")
    private String protectArguments;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the instants; random if not given, and always shown.")
    private Long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there, too.")
    private Path json;

    @Option(
            names = "--keep-logs",
            paramLabel = "DIR",
            description = "Keep logs, consoles and the clients' records there.")
    private Path keepLogs;

    @Option(names = "--verbose", description = "Show stack traces.")
    private boolean isVerbose;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean isHelpWanted;

    public static void main(final String[] arguments) {
        final RolesCommand command = new RolesCommand();
        Program.run(command, NOT_SHOWN, () -> command.isVerbose, arguments);
    }

    @Override
    public Integer call() {
        if (changes < 1) {
            throw new ParameterException(spec.commandLine(), "--changes must be at least 1");
        }
        if (memoryMiB < GuestConfig.MIN_MEMORY_MIB) {
            throw new ParameterException(
                    spec.commandLine(), "--memory in MiB must be at least " + GuestConfig.MIN_MEMORY_MIB);
        }
        if (json != null) {
            ResultFile.requireWritable(json);
        }
        final Narrator narrator = new Narrator(spec.commandLine().getOut(), true);
        final RolesResult result = run(narrator);
        if (json != null) {
            ResultFile.write(json, result);
        }
        report(narrator, result);
        return result.brokenPromises().isEmpty() ? CommandLine.ExitCode.OK : BROKEN_PROMISE;
    }

    private RolesResult run(final Narrator narrator) {
        try (Lab lab = Lab.create(keepLogs == null ? null : keepLogs.toAbsolutePath());
                RolesRun run = new RolesRun(lab, plan(), narrator)) {
            return run.run();
        }
    }

    private RolesPlan plan() {
        final String[] more = protectArguments.isBlank()
                ? new String[0]
                : protectArguments.strip().split("\\s+");
        final GuestConfig guest = new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, 1);
        final AgentOptions agents = AgentOptions.defaults()
                .withDetectTimeout(detectTimeout)
                .withPrimaryExtra(more)
                .withStandbyExtra(more);
        return new RolesPlan(
                hasDisk ? guest.withDisks(RolesRun.DISK) : guest,
                hasDisk ? agents.withDisks(RolesRun.DISK) : agents,
                changes,
                isPlanned,
                between,
                // Short, so that it is easily given again.
                seed != null ? seed : new SplittableRandom().nextLong(1_000_000));
    }

    private static void report(final Narrator narrator, final RolesResult result) {
        narrator.say("");
        narrator.say("  %-20s %10s %10s %10s", "", "p50", "p90", "max");
        result.distributions().forEach((figure, distribution) -> {
            if (distribution.samples() > 0) {
                narrator.say(
                        "  %-20s %10s %10s %10s",
                        figure, number(distribution.p50()), number(distribution.p90()), number(distribution.max()));
            }
        });
        narrator.say("");
        narrator.say(
                "%d changes of roles: %d operations answered, %d lost, %d rewinds, %d of %d connections survived%s",
                result.changes().size(),
                result.acknowledgedOperations(),
                result.lostOperations(),
                result.rewinds(),
                result.connectionsSurvived(),
                result.connections(),
                result.fileSystem() == null ? "" : "; file system " + result.fileSystem());
        result.brokenPromises().forEach(promise -> narrator.say("  BROKEN: %s", promise));
    }

    private static String number(final Double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
