package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.lab.AgentCommandLine;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabProcess;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.QmpClient;
import org.resilire.testbed.lab.SyntheticConfig;
import org.resilire.testbed.lab.TakeoverMode;

/** A guest that is measured, real or synthetic, in a lab of its own: one boot, many protections. One thread. */
final class Subject implements AutoCloseable {

    /** A machine that measures is busy, and nobody dies here: silence means nothing. */
    private static final Duration DETECT_TIMEOUT = Duration.ofSeconds(20);

    private final Lab lab = Lab.create();
    private final GuestConfig guestConfig;
    private final SyntheticConfig syntheticConfig;
    private final GuestProcess guest;

    private Subject(final GuestConfig guestConfig, final SyntheticConfig syntheticConfig) {
        this.guestConfig = guestConfig;
        this.syntheticConfig = syntheticConfig;
        try {
            guest = syntheticConfig == null
                    ? GuestProcess.start(lab, guestConfig).awaitReady()
                    : GuestProcess.start(lab, syntheticConfig);
        } catch (final RuntimeException failure) {
            lab.close();
            throw failure;
        }
    }

    static Subject boot(final GuestConfig config) {
        return new Subject(config, null);
    }

    static Subject synthetic(final SyntheticConfig config) {
        return new Subject(null, config);
    }

    AgentProcess protect(final List<String> modeOptions, final Duration period) {
        return AgentProcess.protect(lab, options(period).withPrimaryExtra(modeOptions.toArray(String[]::new)));
    }

    AgentProcess standby() {
        final AgentOptions options = options(AgentOptions.DEFAULT_PERIOD);
        return syntheticConfig == null
                ? AgentProcess.standby(lab, guestConfig, TakeoverMode.MANUAL, options)
                : AgentProcess.standby(lab, syntheticConfig, TakeoverMode.MANUAL, options);
    }

    /** A command of {@code resilire} about the guest, on the host that keeps its standby; its output is that of a log. */
    LabProcess onStandbysHost(final String... command) {
        return lab.start(command[0], lab.hostB().namespace(), AgentCommandLine.about(lab, lab.hostB(), command));
    }

    private AgentOptions options(final Duration period) {
        final AgentOptions options = AgentOptions.defaults().withPeriod(period).withDetectTimeout(DETECT_TIMEOUT);
        return syntheticConfig == null ? options : options.withoutNetwork();
    }

    PauseFloor floor(final Duration period, final int samples) {
        try (QmpClient qmp = guest.openQmp()) {
            return PauseFloor.measure(qmp, lab.sharedMemory("floor"), period, samples);
        }
    }

    /** Writes so many pages of a synthetic guest; 0 to rest. */
    void write(final long pagesPerSecond, final int bytes, final String pattern, final long pages) {
        try (QmpClient qmp = guest.openQmp()) {
            qmp.execute(QmpClient.encode(
                    "synthetic-write",
                    Map.of("rate", pagesPerSecond, "bytes", bytes, "pattern", pattern, "pages", pages)));
        }
    }

    QmpClient openQmp() {
        return guest.openQmp();
    }

    GuestConfig config() {
        return guestConfig;
    }

    Lab lab() {
        return lab;
    }

    /** Its QEMU, or the process that stands for one. */
    LabProcess process() {
        return guest.process();
    }

    @Override
    public void close() {
        lab.close();
    }
}
