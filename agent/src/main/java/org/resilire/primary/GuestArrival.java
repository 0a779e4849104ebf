package org.resilire.primary;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentCountersReader;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.control.CountersFileException;
import org.resilire.control.RunDirectory;
import org.resilire.disk.PrimaryDisk;
import org.resilire.guest.GuestException;
import org.resilire.guest.guard.PausedFlag;
import org.resilire.guest.qemu.QemuArrival;
import org.resilire.guest.qemu.QemuGuest;
import org.resilire.guest.qemu.QemuGuestConfig;
import org.resilire.guest.qemu.ReplicaFile;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for the QEMU that is to be protected: to start, to come back to its disks, to be attached to. The role's own thread. */
final class GuestArrival {

    private static final Logger LOG = LoggerFactory.getLogger(GuestArrival.class);
    private static final long ATTACH_RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long ATTACH_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long GUEST_POLL_NANOS = 20_000_000L;

    /** QEMU's longest time between two attempts to connect to an NBD server is 16 s. */
    private static final long RECONNECTION_NANOS = TimeUnit.SECONDS.toNanos(17);

    private static final long GUEST_REPORT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final PrimaryConfig config;
    private final AgentCounters counters;
    private final BooleanSupplier stopping;

    /** @param stopping whether the agent is to end: nothing is waited for any more */
    GuestArrival(final PrimaryConfig config, final AgentCounters counters, final BooleanSupplier stopping) {
        this.config = config;
        this.counters = counters;
        this.stopping = stopping;
    }

    /** An agent that died may have left the guest paused, and its guard may have come too late to resume it. */
    static boolean wasLeftPaused(final RunDirectory directory) throws IOException {
        final Path file = directory.countersFile();
        if (!Files.exists(file)) {
            return false;
        }
        try {
            return AgentCountersReader.open(file).value(AgentCounter.PAUSED_BY_AGENT) != PausedFlag.NOT_PAUSED;
        } catch (final CountersFileException e) {
            LOG.warn("the counters of a former agent cannot be read: {}", e.getMessage());
            return false;
        }
    }

    /**
     * Waits for a QEMU that uses these disks, which it can only once they are served.
     *
     * @return false if the agent is to stop
     */
    boolean await(final List<PrimaryDisk> disks) {
        // A QEMU that is just starting, or hangs, may take seconds to answer.
        try (StoppableLook arrival =
                new StoppableLook(() -> QemuArrival.hasCome(config.qmpSocket()), stopping, this::pass)) {
            return await(disks, arrival);
        }
    }

    private boolean await(final List<PrimaryDisk> disks, final StoppableLook arrival) {
        if (arrival.ask()) {
            awaitReconnection(disks);
            return !stopping.getAsBoolean();
        }
        long nextReportNanos = System.nanoTime();
        while (!arrival.ask()) {
            if (stopping.getAsBoolean()) {
                return false;
            }
            if (System.nanoTime() - nextReportNanos >= 0) {
                nextReportNanos = System.nanoTime() + GUEST_REPORT_NANOS;
                LOG.info("waiting for QEMU, to be started with -qmp unix:{},server=on,wait=off", config.qmpSocket());
                counters.state(AgentState.WAITING_FOR_GUEST);
            }
            pass();
        }
        counters.state(AgentState.STARTING);
        return true;
    }

    private void pass() {
        counters.set(AgentCounter.UPDATED_EPOCH_MILLIS, System.currentTimeMillis());
        LockSupport.parkNanos(GUEST_POLL_NANOS);
    }

    /**
     * A QEMU that lost its disks with an earlier agent comes back to them when it next needs them, and if it needed them meanwhile, a
     * while later: a pause before that would last until then.
     */
    private void awaitReconnection(final List<PrimaryDisk> disks) {
        final long deadlineNanos = System.nanoTime() + RECONNECTION_NANOS;
        LOG.info("waiting for QEMU to come back to its disks");
        while (!stopping.getAsBoolean()
                && !disks.stream().allMatch(PrimaryDisk::isConnected)
                && System.nanoTime() - deadlineNanos < 0) {
            pass();
        }
    }

    /**
     * Attaches to a guest that runs and has its network: whatever is in the way of its protection is told and tried again.
     *
     * @param publish called every now and then
     * @return null if the guest has ended, or the agent is to
     */
    QemuGuest attachPatiently(final QemuGuestConfig guestConfig, final Runnable publish) {
        counters.state(AgentState.UNPROTECTED);
        while (!stopping.getAsBoolean()) {
            try {
                return QemuGuest.attach(guestConfig);
            } catch (final GuestException | LinuxException e) {
                if (!ReplicaFile.isMapped(config.ramFile())) {
                    LOG.error("the guest has ended: {}", e.getMessage());
                    counters.state(AgentState.STOPPED);
                    return null;
                }
                LOG.error("the guest runs here UNPROTECTED, attaching to it failed: {}", e.getMessage());
                counters.text(AgentText.LAST_ERROR, e.getMessage());
            }
            final long retryAtNanos = System.nanoTime() + ATTACH_RETRY_NANOS;
            while (!stopping.getAsBoolean() && System.nanoTime() - retryAtNanos < 0) {
                LockSupport.parkNanos(ATTACH_POLL_NANOS);
                publish.run();
            }
        }
        return null;
    }
}
