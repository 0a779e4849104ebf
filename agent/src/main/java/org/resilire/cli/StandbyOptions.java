package org.resilire.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.resilire.backup.BackupConfig;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.transport.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How to keep a standby: for the agent that begins with it, and for one that comes to it when its guest has been moved away. */
final class StandbyOptions {

    enum TakeoverMode {
        AUTO,
        MANUAL
    }

    private static final Logger LOG = LoggerFactory.getLogger(StandbyOptions.class);

    @Option(
            names = "--listen",
            paramLabel = "IP:PORT",
            description = "Address of the replication link on this host, and a UDP port.")
    Endpoint listen;

    @Option(
            names = "--qemu",
            paramLabel = "COMMAND",
            description = "QEMU command line of the standby; words may be quoted as in a shell.")
    String qemu;

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

    /** True if they tell what is needed at least. */
    boolean isComplete() {
        return listen != null && qemu != null;
    }

    /** All of it as one, or a refusal in one line. */
    BackupConfig config(
            final CommandSpec spec,
            final RunDirectory directory,
            final AgentOptions agent,
            final Path qmpSocket,
            final Path ram,
            final List<DiskConfig> disks,
            final boolean endsActive) {
        check(spec);
        return new BackupConfig(
                directory,
                agent.stateDir,
                listen,
                ram,
                ShellWords.split(qemu, spec),
                disks,
                qmpSocket,
                agent.nic(spec),
                takeover == TakeoverMode.AUTO,
                endsActive,
                Optional.ofNullable(fence),
                fenceTimeout.toNanos(),
                agent.detector(spec),
                agent.transport(spec),
                agent.failurePoints(spec));
    }

    private void check(final CommandSpec spec) {
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
    }

    /** To the log, once it is certain that this role begins. */
    void warnOfRisks() {
        if (noFence) {
            LOG.warn(
                    "--no-fence: if the link fails and both hosts live, the guest will run twice, and what one of the two"
                            + " answers its clients is lost");
        }
    }
}
