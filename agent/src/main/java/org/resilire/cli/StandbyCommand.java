package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.resilire.backup.BackupConfig;
import org.resilire.control.AgentRole;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.guest.qemu.StandbyQemuConfig;
import org.resilire.primary.PrimaryConfig;
import org.resilire.role.HostAgent;
import org.resilire.transport.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "standby",
        header = "Keep a standby of a guest that runs on another host.",
        description = {
            "",
            "Starts a paused QEMU over the replica of the guest's memory, receives checkpoints, and lets the guest go on here"
                    + " when its host fails. Before that, --fence must prove that the failed host no longer runs it."
                    + " With --backup it then protects the guest itself as soon as another host offers a standby; the"
                    + " options of 'resilire protect' say how.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire standby --vm db --listen 10.0.0.2:7400 --ram /dev/shm/db.ram \\",
            "      --qemu 'qemu-system-x86_64 … mem-path=/dev/shm/db.ram …' \\",
            "      --nic-socket /run/vm/db.nic --nic-peer /run/vm/db.qemu --tap db0 \\",
            "      --takeover auto --fence '/usr/local/sbin/power-off host-a' --backup 10.0.0.1:7400",
            "",
            "--qemu is the primary's command line with this host's paths; -S, -incoming and a QMP socket are added to it.",
        })
final class StandbyCommand implements Callable<Integer> {

    enum TakeoverMode {
        AUTO,
        MANUAL
    }

    private static final Logger LOG = LoggerFactory.getLogger(StandbyCommand.class);

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Mixin
    AgentOptions agent;

    @Mixin
    DiskOptions diskOptions;

    @Option(
            names = "--listen",
            required = true,
            paramLabel = "IP:PORT",
            converter = EndpointConverter.class,
            description = "Address of the replication link on this host, and a UDP port.")
    Endpoint listen;

    @Option(
            names = "--ram",
            required = true,
            paramLabel = "PATH",
            description = "File of the replica: the mem-path in --qemu.")
    Path ram;

    @Option(
            names = "--qemu",
            required = true,
            paramLabel = "COMMAND",
            description = "QEMU command line of the standby; words may be quoted as in a shell.")
    String qemu;

    @Option(
            names = "--qmp",
            paramLabel = "PATH",
            description =
                    "QMP socket of the standby, and of the guest after a takeover. Default: standby-qmp.sock in the"
                            + " agent's directory below --run-dir.")
    Path qmp;

    @Option(
            names = "--backup",
            split = "[,\\s]+",
            paramLabel = "IP:PORT",
            converter = EndpointConverter.class,
            description =
                    "Where standbys of the guest may be offered after a takeover, for example by the repaired host:"
                            + " this agent then protects the guest by itself. Several are asked in turn; --listen's own is left out.")
    List<Endpoint> backups = List.of();

    @Mixin
    ProtectionOptions protection;

    @Option(
            names = "--takeover",
            paramLabel = "HOW",
            defaultValue = "manual",
            description =
                    "${COMPLETION-CANDIDATES}: take over by itself when the primary fails, or wait for 'resilire failover'."
                            + " Default: ${DEFAULT-VALUE}.")
    TakeoverMode takeover;

    @Option(
            names = "--fence",
            paramLabel = "COMMAND",
            description = "Command that stops the failed host or its guest, and exits with 0 only when that is proven.")
    String fence;

    @Option(
            names = "--fence-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            defaultValue = "2s",
            description = "Time the command may take; a primary that lost its backup holds its output for as long."
                    + " Default: ${DEFAULT-VALUE}.")
    Duration fenceTimeout;

    @Option(
            names = "--no-fence",
            // A flag that the configuration file sets must not be unset by saying it again.
            arity = "0..1",
            fallbackValue = "true",
            hideParamSyntax = true,
            description =
                    "Take over without proof. RISK: if only the link failed, the guest runs twice and its two halves diverge.")
    boolean noFence;

    @Override
    public Integer call() throws IOException {
        if (fence == null && !noFence) {
            throw new ParameterException(
                    spec.commandLine(),
                    "a takeover needs a --fence command that proves the primary stopped; to risk a guest that runs twice, say --no-fence");
        }
        if (fence != null && noFence) {
            throw new ParameterException(spec.commandLine(), "--fence and --no-fence exclude each other");
        }
        if (fence != null && fence.isBlank()) {
            throw new ParameterException(spec.commandLine(), "--fence is empty: an empty command proves nothing");
        }
        if (fenceTimeout.isZero()) {
            throw new ParameterException(spec.commandLine(), "--fence-timeout must be longer than 0");
        }
        final List<String> command = ShellWords.split(qemu, spec);
        final RunDirectory directory = common.directory(AgentRole.BACKUP, spec);
        final Path qmpSocket = qmp == null ? StandbyQemuConfig.defaultQmpSocket(directory.path()) : qmp;
        final List<Endpoint> others =
                backups.stream().filter(other -> !other.equals(listen)).toList();
        final List<DiskConfig> disks = diskOptions.disks(common, spec);
        final Optional<PrimaryConfig> afterTakeover = others.isEmpty()
                ? Optional.empty()
                : Optional.of(protection.config(
                        spec, common.directory(AgentRole.PRIMARY, spec), agent, qmpSocket, ram, disks, others));
        final BackupConfig backup = new BackupConfig(
                directory,
                agent.stateDir,
                listen,
                ram,
                command,
                disks,
                qmpSocket,
                agent.nic(spec),
                takeover == TakeoverMode.AUTO,
                afterTakeover.isPresent(),
                Optional.ofNullable(fence),
                fenceTimeout.toNanos(),
                agent.detector(spec),
                agent.transport(spec),
                agent.failurePoints(spec));
        if (noFence) {
            LOG.warn(
                    "--no-fence: if the link fails and both hosts live, the guest will run twice, and what one of the two"
                            + " answers its clients is lost");
        }
        final HostAgent host = HostAgent.standingBy(backup, afterTakeover);
        return new Termination(host::stop).during(() -> ExitCode.of(host.run()));
    }
}
