package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.Lab;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code testbed/run roles}. */
@Command(
        name = "testbed/run roles",
        header = "Two hosts change roles, again and again, and their guest's clients find every answer true.",
        description = {
            "",
            "Boots a guest on host A with a standby on host B and clients that remember what they were answered. Then the host that"
                    + " runs the guest dies, with all that runs on it, at a random instant; the other one takes over; a standby is"
                    + " offered on the first as after a repair, and the guest is protected again, without an operator on the side"
                    + " that runs it. Over and over. With --planned the guest is moved by 'resilire switchover' instead.",
            ""
        },
        footer = {
            "  testbed/run roles",
            "  testbed/run roles --changes 10 --disk --json chain.json",
            "  testbed/run roles --changes 20 --disk --planned",
            "  testbed/run roles --planned --protect '--mode llm'",
        })
public final class RolesCommand implements Callable<Integer> {

    private static final Duration DETECT_TIMEOUT = Duration.ofMillis(200);

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

    @Mixin
    private RunOptions options;

    public static void main(final String[] arguments) {
        final RolesCommand command = new RolesCommand();
        Program.run(command, RunOptions.NOT_SHOWN, () -> command.options.isVerbose(), arguments);
    }

    @Override
    public Integer call() {
        options.requireAtLeast("--changes", changes, 1);
        options.requireAtLeast("--memory in MiB", memoryMiB, GuestConfig.MIN_MEMORY_MIB);
        options.require();
        final Narrator narrator = new Narrator(options.out(), true);
        final RolesResult result = run(narrator);
        if (options.json() != null) {
            ResultFile.write(options.json(), result);
        }
        report(narrator, result);
        return result.brokenPromises().isEmpty() ? CommandLine.ExitCode.OK : RunOptions.BROKEN_PROMISE;
    }

    private RolesResult run(final Narrator narrator) {
        try (Lab lab = Lab.create(options.logs());
                RolesRun run = new RolesRun(lab, plan(), narrator)) {
            return run.run();
        }
    }

    private RolesPlan plan() {
        final String[] more = options.protectArguments();
        final GuestConfig guest = new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, 1);
        final AgentOptions agents = options.withDetectTimeout(AgentOptions.defaults(), DETECT_TIMEOUT)
                .withPrimaryExtra(more)
                .withStandbyExtra(more);
        return new RolesPlan(
                hasDisk ? guest.withDisks(RolesRun.DISK) : guest,
                hasDisk ? agents.withDisks(RolesRun.DISK) : agents,
                changes,
                isPlanned,
                between,
                options.seed());
    }

    private static void report(final Narrator narrator, final RolesResult result) {
        narrator.say("");
        narrator.say("  %-20s %10s %10s %10s %10s", "", "p50", "p90", "p99", "max");
        result.distributions().forEach((figure, distribution) -> {
            if (distribution.samples() > 0) {
                narrator.say(
                        "  %-20s %10s %10s %10s %10s",
                        figure,
                        number(distribution.p50()),
                        number(distribution.p90()),
                        number(distribution.p99()),
                        number(distribution.max()));
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
