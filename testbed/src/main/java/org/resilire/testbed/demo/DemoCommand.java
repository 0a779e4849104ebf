package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.load.LoadOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code testbed/run demo}. */
@Command(
        name = "testbed/run demo",
        header = "A guest with Redis and a web server outlives its host.",
        description = {
            "",
            "Boots a guest on host A, protects it with a standby on host B, and lets clients write to it. Then QEMU and the"
                    + " agent of host A are killed with SIGKILL at a random instant. Host B takes over, the clients go on with the"
                    + " connections they have, and in the end everything they were ever told is compared with what is there."
                    + " The hosts are network namespaces of this machine.",
            ""
        },
        footer = {
            "  testbed/run demo",
            "  testbed/run demo --json result.json --seconds 20 --verify-every 50",
            "  testbed/run demo --idle --memory 1G --cpus 2",
            "  testbed/run demo --protect '--mode remus'",
            "  testbed/run demo --repeat 20 --seconds 5 --json series.json",
        })
public final class DemoCommand implements Callable<Integer> {

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

    @Mixin
    private FailoverOptions options;

    public static void main(final String[] arguments) {
        final DemoCommand demo = new DemoCommand();
        Program.run(demo, RunOptions.NOT_SHOWN, () -> demo.options.isVerbose(), arguments);
    }

    @Override
    public Integer call() {
        options.requireAtLeast("--memory in MiB", memoryMiB, GuestConfig.MIN_MEMORY_MIB);
        options.requireAtLeast("--cpus", cpus, 1);
        options.requireAtLeast("--seconds", seconds, 1);
        options.requireAtLeast("--connections", connections, 1);
        options.requireAtLeast("--verify-every", verifyEvery, 0);
        options.requireAtLeast("--verifications", verifications, 0);
        options.require();
        final Narrator narrator = options.narrator();
        return new Repetition<>(options, new FailoverReport(narrator), (lab, plan) -> {
                    try (FailoverRun run = new FailoverRun(lab, plan, narrator)) {
                        return run.run();
                    }
                })
                .makeAll(plan());
    }

    private FailoverPlan plan() {
        final LoadOptions load = LoadOptions.defaults().withConnections(connections);
        return new FailoverPlan(
                new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, cpus),
                options.agents().withVerifyEvery(verifyEvery),
                isIdle ? load.resting() : load,
                isIdle,
                Duration.ofSeconds(seconds),
                verifications,
                options.seed());
    }
}
