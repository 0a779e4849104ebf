package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.resilire.control.AgentRole;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.primary.BackupLossPolicy;
import org.resilire.primary.PrimaryAgent;
import org.resilire.primary.PrimaryConfig;
import org.resilire.transport.Endpoint;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "protect",
        header = "Protect a running guest of this host with a standby on another.",
        description = {
            "",
            "Attaches to a running QEMU, copies the guest's memory to the backup while it runs, then makes a checkpoint every"
                    + " --period. What the guest sends leaves only once the state that sent it is safe on the backup."
                    + " Runs until Ctrl-C, which ends protection and leaves the guest running.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire protect --vm db --qmp /run/vm/db.qmp --ram /dev/shm/db.ram --backup 10.0.0.2:7400 \\",
            "      --nic-socket /run/vm/db.nic --nic-peer /run/vm/db.qemu --tap db0",
            "  resilire protect --vm db                 # everything from [vm.db] of /etc/resilire/resilire.toml",
            "  resilire protect --vm db --codec delta+pack+lz4 --encoder-thread     # over a slow link",
            "  resilire protect --vm db --identify hash --block 256            # 1/32 of the memory instead of all again",
            "  resilire protect --vm db --mode remus                           # whole pages, to compare with",
        })
final class ProtectCommand implements Callable<Integer> {

    /** Beyond any gain: they share the memory's bandwidth and one lock of the kernel's. */
    private static final int MAX_SCAN_THREADS = 64;

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Mixin
    AgentOptions agent;

    @Mixin
    DiskOptions diskOptions;

    @Mixin
    ModeOptions modeOptions;

    @Option(
            names = "--qmp",
            required = true,
            paramLabel = "PATH",
            description = "QMP socket of the guest's QEMU; the agent is its one client.")
    Path qmp;

    @Option(
            names = "--ram",
            required = true,
            paramLabel = "PATH",
            description = "File that backs the guest's RAM: mem-path of a memory-backend-file with share=on.")
    Path ram;

    @Option(
            names = "--backup",
            required = true,
            paramLabel = "IP:PORT",
            converter = EndpointConverter.class,
            description = "Where the backup's agent listens.")
    Endpoint backup;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            defaultValue = "20ms",
            description = "From checkpoint to checkpoint, 1ms or more. Default: ${DEFAULT-VALUE}.")
    Duration period;

    @Option(
            names = "--tracker",
            paramLabel = "HOW",
            converter = TrackerConverter.class,
            defaultValue = "auto",
            description =
                    "How written pages are found: auto, write-protect, soft-dirty or compare. Default: ${DEFAULT-VALUE}.")
    TrackerChoice tracker;

    @Option(
            names = "--scan-threads",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Threads that look for written pages in a pause, 1 to 64; more than 1 shorten the pauses of large"
                            + " guests on hosts with cores to spare. Default: ${DEFAULT-VALUE}.")
    int scanThreads;

    @Option(
            names = "--on-backup-loss",
            paramLabel = "WHAT",
            defaultValue = "continue",
            description =
                    "What becomes of the guest without a backup: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    BackupLossPolicy onBackupLoss;

    @Option(
            names = "--verify-every",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Compare all of the guest's memory with the replica at every N-th checkpoint; its pause is long. 0: never.")
    long verifyEvery;

    @Override
    public Integer call() throws IOException {
        if (period.toMillis() < 1) {
            throw new ParameterException(spec.commandLine(), "--period must be at least 1ms");
        }
        if (verifyEvery < 0) {
            throw new ParameterException(spec.commandLine(), "--verify-every must not be negative");
        }
        checkScanThreads();
        final PrimaryAgent primary = new PrimaryAgent(new PrimaryConfig(
                common.directory(AgentRole.PRIMARY, spec),
                agent.stateDir,
                qmp,
                ram,
                backup,
                diskOptions.disks(common, spec),
                agent.nic(spec),
                tracker,
                scanThreads,
                modeOptions.mode(spec),
                modeOptions.encoderThread,
                period.toNanos(),
                agent.detector(spec),
                onBackupLoss,
                verifyEvery,
                agent.transport(spec),
                agent.failurePoints(spec)));
        return new Termination(primary::stop).during(() -> switch (primary.run()) {
            case STOPPED -> ExitCode.OK;
            case GUEST_LOST -> ExitCode.FAILED;
            case SUPERSEDED, REFUSED -> ExitCode.PEER;
        });
    }

    private void checkScanThreads() {
        if (scanThreads < 1 || scanThreads > MAX_SCAN_THREADS) {
            throw new ParameterException(
                    spec.commandLine(), "--scan-threads must be 1 to " + MAX_SCAN_THREADS + ", not " + scanThreads);
        }
        if (scanThreads > 1 && tracker == TrackerChoice.COMPARE) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--scan-threads is of no use with --tracker compare, which does not scan: leave it out");
        }
    }
}
