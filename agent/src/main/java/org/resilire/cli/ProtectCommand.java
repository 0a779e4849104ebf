package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.resilire.control.AgentRole;
import org.resilire.disk.DiskConfig;
import org.resilire.primary.PrimaryConfig;
import org.resilire.role.HostAgent;
import org.resilire.transport.Endpoint;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "protect",
        header = "Protect a running guest of this host with a standby on another.",
        description = {
            "",
            "Attaches to a running QEMU, copies the guest's memory to the backup while it runs, then makes a checkpoint every"
                    + " --period, or as --policy says. What the guest sends leaves only once the state that sent it is safe on the backup."
                    + " Runs until Ctrl-C, which ends protection and leaves the guest running.",
            "",
            "With the options of 'resilire standby' (--listen, --qemu, --fence, …; best in the configuration file) the agent keeps a"
                    + " standby of the guest once 'resilire switchover' has moved it away.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire protect --vm db --qmp /run/vm/db.qmp --ram /dev/shm/db.ram --backup 10.0.0.2:7400 \\",
            "      --nic-socket /run/vm/db.nic --nic-peer /run/vm/db.qemu --tap db0",
            "  resilire protect --vm db                 # everything from [vm.db] of /etc/resilire/resilire.toml",
            "  resilire protect --vm db --codec delta+pack+lz4 --encoder-thread     # over a slow link",
            "  resilire protect --vm db --identify hash --block 256            # 1/32 of the memory instead of all again",
            "  resilire protect --vm db --policy output                        # answers leave as soon as they can",
            "  resilire protect --vm db --policy adaptive --target-overhead 10%%",
            "  resilire protect --vm db --disk d0=/var/lib/vm/db.img …         # before QEMU, which has its disk from it",
            "  resilire protect --vm db --mode llm                             # answers at once, input replayed after a failover",
            "  resilire protect --vm db --mode remus                           # whole pages, to compare with",
        })
final class ProtectCommand implements Callable<Integer>, AgentCommand {

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    @Mixin
    AgentOptions agent;

    @Mixin
    DiskOptions diskOptions;

    @Mixin
    ProtectionOptions protection;

    @Mixin
    StandbyOptions standby;

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
            split = "[,\\s]+",
            paramLabel = "IP:PORT",
            description =
                    "Where the backup's agent listens. Several (say it again, or separate them by commas) are asked"
                            + " in turn.")
    List<Endpoint> backups;

    @Override
    public Integer call() throws IOException {
        final HostAgent host = agent();
        return new Termination(host::stop).during(() -> ExitCode.of(host.run()));
    }

    @Override
    public HostAgent agent() {
        final List<DiskConfig> disks = diskOptions.disks(common, spec);
        final List<Endpoint> others =
                backups.stream().filter(other -> !other.equals(standby.listen)).toList();
        // A file that both hosts share describes the other host's standby: there is nobody else then.
        final boolean hasStandby = standby.isComplete() && !others.isEmpty();
        final PrimaryConfig primary = protection.config(
                spec,
                common.directory(AgentRole.PRIMARY, spec),
                agent,
                qmp,
                ram,
                disks,
                hasStandby ? others : backups,
                hasStandby);
        return hasStandby
                ? HostAgent.protecting(
                        primary,
                        standby.config(spec, common.directory(AgentRole.BACKUP, spec), agent, qmp, ram, disks, true))
                : HostAgent.protecting(primary);
    }
}
