package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Path;
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
final class StandbyCommand implements Callable<Integer>, AgentCommand {

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Mixin
    AgentOptions agent;

    @Mixin
    DiskOptions diskOptions;

    @Mixin
    StandbyOptions standby;

    @Option(
            names = "--ram",
            required = true,
            paramLabel = "PATH",
            description = "File of the replica: the mem-path in --qemu.")
    Path ram;

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
            description =
                    "Where standbys of the guest may be offered after a takeover, for example by the repaired host:"
                            + " this agent then protects the guest by itself. Several are asked in turn; --listen's own is left out.")
    List<Endpoint> backups = List.of();

    @Mixin
    ProtectionOptions protection;

    @Override
    public Integer call() throws IOException {
        final HostAgent host = agent();
        return new Termination(host::stop).during(() -> ExitCode.of(host.run()));
    }

    @Override
    public HostAgent agent() {
        if (!standby.isComplete()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "Missing required options: '--listen=IP:PORT' and '--qemu=COMMAND' are both needed");
        }
        final RunDirectory directory = common.directory(AgentRole.BACKUP, spec);
        final Path qmpSocket = qmp == null ? StandbyQemuConfig.defaultQmpSocket(directory.path()) : qmp;
        final List<Endpoint> others =
                backups.stream().filter(other -> !other.equals(standby.listen)).toList();
        final List<DiskConfig> disks = diskOptions.disks(common, spec);
        final Optional<PrimaryConfig> afterTakeover = others.isEmpty()
                ? Optional.empty()
                : Optional.of(protection.config(
                        spec, common.directory(AgentRole.PRIMARY, spec), agent, qmpSocket, ram, disks, others, true));
        final BackupConfig backup =
                standby.config(spec, directory, agent, qmpSocket, ram, disks, afterTakeover.isPresent());
        standby.warnOfRisks();
        return HostAgent.standingBy(backup, afterTakeover);
    }
}
