package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.resilire.testbed.Program;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.load.LoadOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code testbed/run postgres}. */
@Command(
        name = "testbed/run postgres",
        header = "PostgreSQL on a replicated disk outlives its host.",
        description = {
            "",
            "Boots a guest with PostgreSQL on host A, whose agent serves its disk, and protects both with a standby on host B. Two"
                    + " clients remember every transaction whose COMMIT was answered, and pgbench runs beside them. Then QEMU and"
                    + " the agent of host A are killed with SIGKILL at a random instant. In the end every acknowledged transaction"
                    + " must be in the database that goes on, and in the one that PostgreSQL recovers from a copy of host B's disk"
                    + " taken at the failover; that copy is checked by e2fsck, pg_amcheck and pg_checksums. With --protect '--mode"
                    + " llm' the copy may lack what the guest has still to do again.",
            ""
        },
        footer = {
            "  testbed/run postgres",
            "  testbed/run postgres --repeat 20 --seed 1 --json series.json",
            "  testbed/run postgres --period 100ms --protect '--mode llm'",
        })
public final class DatabaseCommand implements Callable<Integer> {

    /** Less is not enough for PostgreSQL beside everything else. */
    private static final int MIN_MEMORY_MIB = 256;

    /** A comparison of the memories pauses the guest, and the disk is looked at in the end. */
    private static final int VERIFICATIONS = 1;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "384M",
            converter = MemoryConverter.class,
            description = "The guest's memory. Default: ${DEFAULT-VALUE}.")
    private int memoryMiB;

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

    @Mixin
    private FailoverOptions options;

    public static void main(final String[] arguments) {
        final DatabaseCommand command = new DatabaseCommand();
        Program.run(command, RunOptions.NOT_SHOWN, () -> command.options.isVerbose(), arguments);
    }

    @Override
    public Integer call() {
        options.requireAtLeast("--memory in MiB", memoryMiB, MIN_MEMORY_MIB);
        options.requireAtLeast("--seconds", seconds, 1);
        options.requireAtLeast("--connections", connections, 1);
        options.require();
        final Narrator narrator = options.narrator();
        final GuestPrograms programs = GuestPrograms.fromEnvironment();
        return new Repetition<>(options, new DatabaseReport(narrator), (lab, plan) -> {
                    try (DatabaseRun run = new DatabaseRun(lab, plan, programs, narrator)) {
                        return run.run();
                    }
                })
                .makeAll(plan());
    }

    private FailoverPlan plan() {
        return new FailoverPlan(
                new GuestConfig(GuestImage.fromEnvironment(), memoryMiB, 1).withDisks(DatabaseRun.DISK),
                options.agents().withDisks(DatabaseRun.DISK),
                LoadOptions.database().withConnections(connections),
                false,
                Duration.ofSeconds(seconds),
                VERIFICATIONS,
                options.seed());
    }
}
