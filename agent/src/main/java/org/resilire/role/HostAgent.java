package org.resilire.role;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.SystemNanoClock;
import org.resilire.backup.BackupAgent;
import org.resilire.backup.BackupConfig;
import org.resilire.control.Resources;
import org.resilire.primary.PrimaryAgent;
import org.resilire.primary.PrimaryConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of one guest on one host. It takes one role after the other: a backup whose standby has become the guest goes on as the
 * primary of that guest and protects it as soon as a standby is offered, without an operator and without a moment in which the
 * guest has no network. A primary whose guest was moved away as planned goes on as the backup of where it went.
 *
 * <p>One thread runs it, any may stop it.
 */
public final class HostAgent {

    /** How an agent ended. */
    public enum Outcome {
        STOPPED,
        /** The guest's process is gone. */
        GUEST_LOST,
        /** Another host runs the guest. */
        SUPERSEDED,
        /** The backup refused the guest. */
        REFUSED,
        /** The guest was moved to another host as planned, and nothing tells how to keep a standby for it here. */
        SWITCHED_OVER
    }

    /** How to run one role. */
    private interface Role {
        Outcome run(Resources resources) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(HostAgent.class);

    private final Role first;
    private final CountDownLatch ended = new CountDownLatch(1);

    // Guarded by this.
    private Runnable stopCurrent = () -> {};
    private BooleanSupplier isWritingOut = () -> false;
    private boolean stopRequested;

    private final Optional<Role> standby;

    private HostAgent(
            final Optional<PrimaryConfig> first,
            final Optional<BackupConfig> backup,
            final Optional<PrimaryConfig> next) {
        standby = backup.map(config -> resources -> stand(config, next, resources));
        this.first = first.isPresent()
                ? resources -> protect(new PrimaryAgent(first.get()), resources)
                : standby.orElseThrow();
    }

    /** Protects a guest that runs here. */
    public static HostAgent protecting(final PrimaryConfig primary) {
        return new HostAgent(Optional.of(primary), Optional.empty(), Optional.empty());
    }

    /**
     * Protects a guest that runs here, and keeps a standby of it once it was moved away.
     *
     * @param standby ends with a takeover: the guest is protected as before then
     */
    public static HostAgent protecting(final PrimaryConfig primary, final BackupConfig standby) {
        requireSequence(standby, true);
        return new HostAgent(Optional.of(primary), Optional.of(standby), Optional.of(primary));
    }

    /**
     * Keeps a standby.
     *
     * @param afterTakeover how to protect the guest once it runs here; empty to leave it unprotected
     */
    public static HostAgent standingBy(final BackupConfig backup, final Optional<PrimaryConfig> afterTakeover) {
        requireSequence(backup, afterTakeover.isPresent());
        return new HostAgent(Optional.empty(), Optional.of(backup), afterTakeover);
    }

    private static void requireSequence(final BackupConfig backup, final boolean isFollowed) {
        if (backup.endsActive() != isFollowed) {
            throw new IllegalArgumentException("a backup ends with its takeover if, and only if, another role follows");
        }
    }

    /** Runs until the end. */
    public Outcome run() throws IOException {
        try {
            Role role = first;
            while (true) {
                final Outcome outcome;
                try (Resources resources = new Resources()) {
                    outcome = role.run(resources);
                }
                if (outcome != Outcome.SWITCHED_OVER || isStopping()) {
                    return outcome;
                }
                if (standby.isEmpty()) {
                    LOG.warn(
                            "the guest runs elsewhere, and nothing here tells how to keep a standby of it: this agent ends");
                    return outcome;
                }
                LOG.info("the guest runs elsewhere: this agent keeps a standby of it from now on");
                role = standby.get();
            }
        } finally {
            ended.countDown();
        }
    }

    private synchronized boolean isStopping() {
        return stopRequested;
    }

    /**
     * Ends in order and waits for it: a standby is ended, a guest goes on. Any thread, for example a shutdown hook.
     *
     * @param limit not counting the time in which the guest's disks are written out
     */
    public void stop(final Duration limit) throws InterruptedException {
        synchronized (this) {
            stopRequested = true;
            stopCurrent.run();
        }
        if (!new OrderlyEnd(ended, this::isWritingOut, SystemNanoClock.INSTANCE).await(limit)) {
            LOG.warn("the agent did not end within {} s", limit.toSeconds());
        }
    }

    private synchronized boolean isWritingOut() {
        return isWritingOut.getAsBoolean();
    }

    private synchronized void begin(final Runnable stop, final BooleanSupplier writesOut) {
        stopCurrent = stop;
        isWritingOut = writesOut;
        if (stopRequested) {
            stop.run();
        }
    }

    private Outcome protect(final PrimaryAgent primary, final Resources resources) throws IOException {
        begin(primary::stop, primary::isWritingOut);
        return switch (primary.run(resources)) {
            case STOPPED -> Outcome.STOPPED;
            case GUEST_LOST -> Outcome.GUEST_LOST;
            case SUPERSEDED -> Outcome.SUPERSEDED;
            case REFUSED -> Outcome.REFUSED;
            case SWITCHED_OVER -> Outcome.SWITCHED_OVER;
        };
    }

    private Outcome stand(
            final BackupConfig config, final Optional<PrimaryConfig> afterTakeover, final Resources resources)
            throws IOException {
        final BackupAgent backup = new BackupAgent(config);
        begin(backup::stop, backup::isWritingOut);
        return switch (backup.run(resources)) {
            case STOPPED -> Outcome.STOPPED;
            case GUEST_ENDED -> Outcome.GUEST_LOST;
            case TOOK_OVER -> {
                LOG.info("this agent protects the guest from now on, as soon as a standby is offered");
                // The backup's link stays, to refuse the primary that was; so does the guest's network.
                yield protect(
                        PrimaryAgent.successor(
                                afterTakeover.orElseThrow(), backup.outlet(), backup.disks(), backup::publish),
                        resources);
            }
        };
    }
}
