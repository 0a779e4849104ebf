package org.resilire.cli;

import java.nio.file.Path;
import java.util.List;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.primary.BackupLossPolicy;
import org.resilire.primary.PrimaryConfig;
import org.resilire.transport.Endpoint;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How to protect a guest: for the agent that begins as a primary, and for one that becomes one. */
final class ProtectionOptions {

    /** Beyond any gain: they share the memory's bandwidth and one lock of the kernel's. */
    private static final int MAX_SCAN_THREADS = 64;

    @Mixin
    ModeOptions modeOptions;

    @Mixin
    PolicyOptions policyOptions;

    @Option(
            names = "--tracker",
            paramLabel = "HOW",
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
            names = "--capture-ahead",
            paramLabel = "PAGES",
            defaultValue = "1000",
            description =
                    "While recent epochs wrote at least so many pages, capture what is written shortly before the pause, and in it"
                            + " only what is written again: shorter pauses for a little processor time. 0: never; --mode remus never"
                            + " does. Default: ${DEFAULT-VALUE}.")
    long captureAheadPages;

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
                    "Compare all of the guest's memory with the replica at every N-th checkpoint; its pause is long."
                            + " 0, the default: never.")
    long verifyEvery;

    @Option(
            names = "--disk-copy-rate",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "0",
            description = "Bytes a second that a disk's copying to the backup may take beside what the guest writes."
                    + " 0, the default: as fast as it goes.")
    int diskCopyRate;

    /** All of it as one, or a refusal in one line. */
    PrimaryConfig config(
            final CommandSpec spec,
            final RunDirectory directory,
            final AgentOptions agent,
            final Path qmp,
            final Path ram,
            final List<DiskConfig> disks,
            final List<Endpoint> backups,
            final boolean endsGuestWhenMoved) {
        check(spec);
        return new PrimaryConfig(
                directory,
                agent.stateDir,
                qmp,
                ram,
                backups,
                endsGuestWhenMoved,
                disks,
                diskCopyRate == 0 ? Long.MAX_VALUE : diskCopyRate,
                agent.nic(spec),
                tracker,
                scanThreads,
                tracker == TrackerChoice.COMPARE ? 0 : captureAheadPages,
                modeOptions.mode(spec),
                modeOptions.release(spec),
                modeOptions.encoderThread,
                policyOptions.settings(spec, modeOptions.mode == ModeOptions.Mode.LLM),
                agent.detector(spec),
                onBackupLoss,
                verifyEvery,
                agent.transport(spec),
                agent.failurePoints(spec));
    }

    private void check(final CommandSpec spec) {
        if (verifyEvery < 0) {
            throw new ParameterException(spec.commandLine(), "--verify-every must not be negative");
        }
        checkScanThreads(spec);
        checkCaptureAhead(spec);
    }

    private void checkCaptureAhead(final CommandSpec spec) {
        if (captureAheadPages < 0) {
            throw new ParameterException(spec.commandLine(), "--capture-ahead must not be negative; 0 is never");
        }
    }

    private void checkScanThreads(final CommandSpec spec) {
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
