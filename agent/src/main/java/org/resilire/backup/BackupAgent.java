package org.resilire.backup;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentText;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlServer;
import org.resilire.control.LoopRunner;
import org.resilire.control.Resources;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.PrimaryDisk;
import org.resilire.disk.ReplicaDisks;
import org.resilire.failover.Fence;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.qemu.ReplicaFile;
import org.resilire.guest.qemu.StandbyQemu;
import org.resilire.guest.qemu.StandbyQemuConfig;
import org.resilire.net.GateMode;
import org.resilire.net.GuestOutlet;
import org.resilire.net.replay.ReplayController;
import org.resilire.net.replay.ReplayLog;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * The role of a backup: puts the parts together and runs them on their threads; whoever runs it takes them apart. Threads: standby,
 * link, guest network (after a takeover), fencing, control, and the caller's, which publishes counters until the role ends.
 *
 * <p>After a takeover it either stays and watches the guest, or ends and leaves the guest's {@link #outlet()} to the role that
 * follows in the same process. Until its resources are closed, its link then goes on refusing primaries of the guest that was.
 */
public final class BackupAgent {

    /** How an agent ended. */
    public enum Outcome {
        STOPPED,
        /** The guest runs here; only if another role follows. */
        TOOK_OVER,
        GUEST_ENDED
    }

    /** From a checkpoint's pause to its commit, and clocks that do not run equally fast. */
    private static final long CLOCK_SLACK_MILLIS = 500;

    private static final Logger LOG = LoggerFactory.getLogger(BackupAgent.class);

    private final BackupConfig config;
    private volatile StandbyLoop loop;
    private volatile boolean stopRequested;
    private GuestOutlet outlet;
    private volatile ReplicaDisks disks = ReplicaDisks.none();
    private volatile boolean hasLoopEnded;
    private AgentCounters counters;

    public BackupAgent(final BackupConfig config) {
        this.config = config;
    }

    /** Asks the role to end in order: a standby is ended, a guest that was taken over goes on. Any thread. */
    public void stop() {
        stopRequested = true;
        final StandbyLoop running = loop;
        if (running != null) {
            running.stop();
        }
    }

    /** Whether this role is over but for disks that are being written out, which takes as long as it takes. Any thread. */
    public boolean isWritingOut() {
        return hasLoopEnded && disks.isWritingOut();
    }

    /** The guest's disks; as its network. */
    public List<PrimaryDisk> disks() {
        return disks.toPrimary();
    }

    /** The guest's network; once {@link #run} has returned, and until its resources are closed. */
    public GuestOutlet outlet() {
        return outlet;
    }

    /**
     * Keeps a standby, and the guest after a takeover, until the end.
     *
     * @param resources to be closed when the role is over, and the one that follows it
     */
    public Outcome run(final Resources resources) throws IOException {
        final RunDirectory.Claim claim = resources.add(config.runDirectory().claim());
        final RunDirectory directory = claim.directory();
        counters = AgentCounters.create(claim, System.currentTimeMillis());
        counters.text(AgentText.PEER, config.listen().toString());
        TakeoverRehearsal.once(directory.path().resolve("r"), !config.disks().isEmpty());
        final ProtectionRecord record = ProtectionRecord.open(config.stateDirectory(), config.vmName());
        final BackupMetrics metrics = new BackupMetrics(counters);

        outlet = resources.add(GuestOutlet.open(config.nic()));

        disks = resources.add(
                ReplicaDisks.open(config.disks(), config.stateDirectory(), config.vmName(), record.generation()));
        for (final DiskConfig disk : config.disks()) {
            LOG.info("disk {}: {} served at {}", disk.name(), disk.image(), disk.socket());
        }

        // The port first: it is the likeliest thing to be taken.
        final Transport transport =
                Transport.start(config.transport(), claim.memoryDirectory().resolve("aeron"));
        final Resources untilLinkRuns = new Resources();
        untilLinkRuns.add(transport);
        final BackupLink link;
        final Queue<BackupEvent> events = new ConcurrentLinkedQueue<>();
        final AtomicReference<StandbyLoop> loopToWake = new AtomicReference<>();
        final BackupContext context = context(directory, record);
        final Standby firstStandby;
        try {
            final var replication = transport.listen(config.listen(), Streams.REPLICATION);
            final var heartbeats = transport.listen(config.listen(), Streams.PRIMARY_HEARTBEAT);
            final var inputs = transport.listen(config.listen(), Streams.INPUT);
            ReplicaFile.removeLeftover(config.ramFile());
            firstStandby = untilLinkRuns.add(new QemuStandby(StandbyQemu.start(context.qemu())));
            ReplicaFile.requirePresent(config.ramFile());
            final Replica replica = untilLinkRuns.add(new Replica(GuestMemory.mapForReplay(config.ramFile()), disks));
            link = new BackupLink(
                    transport,
                    replication,
                    heartbeats,
                    inputs,
                    replica,
                    context,
                    events,
                    () -> {
                        final StandbyLoop waiting = loopToWake.get();
                        if (waiting != null) {
                            waiting.wake();
                        }
                    },
                    metrics);
        } catch (final RuntimeException e) {
            untilLinkRuns.close();
            throw e;
        }
        final ExecutorService fencing = Executors.newSingleThreadExecutor(
                task -> Thread.ofPlatform().daemon().name("fence").unstarted(task));
        resources.add(fencing::shutdownNow);
        final StandbyLoop standbyLoop = new StandbyLoop(
                context,
                link,
                events,
                new Takeover(context.fence(), record, fencing, context.clock()),
                firstStandby,
                () -> new QemuStandby(StandbyQemu.start(context.qemu())),
                () -> openNetwork(outlet, link.replica(), context.clock()),
                metrics);
        loopToWake.set(standbyLoop);
        resources.add(link.replica());
        resources.add(startRunner(transport, link));
        resources.add(() -> standbyLoop.standby().close());
        final SnapshotHandler snapshots = resources.add(
                new SnapshotHandler(config, claim.memoryDirectory().resolve("copy"), link));
        resources.add(ControlServer.start(
                directory, Map.of("failover", failoverHandler(standbyLoop), "snapshot", snapshots)));
        final Outcome outcome = runLoop(standbyLoop);
        if (outcome == Outcome.TOOK_OVER) {
            // QMP serves one client: whoever protects the guest.
            standbyLoop.standby().close();
        }
        return outcome;
    }

    /** A takeover that needs a second standby opens it but once. */
    private static void openNetwork(final GuestOutlet outlet, final Replica replica, final NanoClock clock) {
        if (outlet.epochs().mode() == GateMode.PASS) {
            return;
        }
        outlet.epochs().changeMode(GateMode.PASS);
        if (replica.replays()) {
            replay(outlet, replica, clock);
        } else {
            LOG.info(
                    "{} frames that the guest may have missed are delivered again",
                    outlet.deliverFirst(replica.redelivery()));
        }
        outlet.start();
    }

    /** Some of what the guest did since its checkpoint, the world knows: it does that again. */
    private static void replay(final GuestOutlet outlet, final Replica replica, final NanoClock clock) {
        final ReplayLog log = replica.replayLog();
        final long clockBackMillis = (clock.nanoTime() - replica.committedNanos()) / 1_000_000 + CLOCK_SLACK_MILLIS;
        LOG.info(
                "the guest goes back by less than {} ms and is given again what arrived since: {} frames, {} bytes",
                clockBackMillis,
                log.frames(),
                log.lengthBytes());
        final ReplayController replay = new ReplayController(
                log, clockBackMillis, new SecureRandom().nextLong(), ReplayController.DEFAULT_MAX_FLOWS, clock);
        replay.begin();
        if (!outlet.replay(replay)) {
            replay.close();
        }
    }

    private BackupContext context(final RunDirectory directory, final ProtectionRecord record) {
        return new BackupContext(
                config.vmName(),
                new StandbyQemuConfig(config.qemuCommand(), directory.path(), config.qmpSocket()),
                record,
                config.automatic(),
                config.endsActive(),
                config.fenceCommand()
                        .map(command -> new Fence(
                                command,
                                config.fenceTimeoutNanos(),
                                directory.path().resolve("fence.log"))),
                config.detector().intervalNanos(),
                config.detector().timeoutNanos(),
                config.failurePoints(),
                SystemNanoClock.INSTANCE);
    }

    private AgentRunner startRunner(final Transport transport, final BackupLink link) {
        final AgentRunner runner = new AgentRunner(
                transport.idleStrategy(config.detector().longestSleepNanos()),
                error -> LOG.error("link: {}", error.getMessage(), error),
                null,
                link);
        AgentRunner.startOnThread(runner);
        return runner;
    }

    private Outcome runLoop(final StandbyLoop standbyLoop) {
        loop = standbyLoop;
        if (stopRequested) {
            standbyLoop.stop();
        }
        try {
            return Outcome.valueOf(LoopRunner.run("standby", standbyLoop::run, standbyLoop::stop, this::publish)
                    .name());
        } finally {
            hasLoopEnded = true;
        }
    }

    /** Publishes counters; by the thread that ran this role, also while it runs the one that follows. */
    public void publish() {
        outlet.counters().ifPresent(counters::publish);
        outlet.replay().ifPresent(counters::publish);
        counters.set(AgentCounter.UPDATED_EPOCH_MILLIS, System.currentTimeMillis());
    }

    private static ControlHandler failoverHandler(final StandbyLoop standbyLoop) {
        return (request, progress) -> {
            try {
                final String result = standbyLoop.requestFailover().get();
                return JsonMapper.shared().createObjectNode().put("result", result);
            } catch (final ExecutionException e) {
                throw new ControlException(e.getCause().getMessage());
            }
        };
    }
}
