package org.resilire.primary;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.CompositeAgent;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentText;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlServer;
import org.resilire.control.CountersFile;
import org.resilire.control.LoopRunner;
import org.resilire.control.Resources;
import org.resilire.control.RunDirectory;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.PrimaryDisk;
import org.resilire.epoch.EpochEncoder;
import org.resilire.epoch.EpochPipeline;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.failover.FailureDetector;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.guard.GuardOptions;
import org.resilire.guest.guard.GuardProcess;
import org.resilire.guest.guard.PausedFlag;
import org.resilire.guest.qemu.QemuGuest;
import org.resilire.guest.qemu.QemuGuestConfig;
import org.resilire.net.GateMode;
import org.resilire.net.GuestOutlet;
import org.resilire.net.OutputEpochs;
import org.resilire.net.OutputSignal;
import org.resilire.simd.BlockKernels;
import org.resilire.transport.Transport;
import org.resilire.wire.sbe.EpochKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The role of a primary: puts the parts together and runs them on their threads; whoever runs it takes them apart. Threads:
 * checkpoint, link, guest network, control, and the caller's, which publishes counters until the role ends.
 *
 * <p>It protects a guest that it finds running, or one that this process has just started as its backup ({@link #successor}): then
 * the guest's network is there already and goes on as it is until the first checkpoint.
 */
public final class PrimaryAgent {

    /** How an agent ended. */
    public enum Outcome {
        STOPPED,
        GUEST_LOST,
        SUPERSEDED,
        REFUSED,
        /** The guest was moved to the backup as planned. */
        SWITCHED_OVER
    }

    private static final Logger LOG = LoggerFactory.getLogger(PrimaryAgent.class);

    /** 16 MiB for what a fast guest writes within an epoch, and 8 for the link to catch its breath. */
    private static final EpochPipeline.Size PIPELINE_SIZE = new EpochPipeline.Size(64, 256 << 10, 128);

    /**
     * What a fast guest writes within an epoch takes 50 times as much where pages travel whole: a pause that waits for room says how much
     * room there is, and nothing of Remus, which copies all that is dirty.
     */
    private static final EpochPipeline.Size WHOLE_PAGES_SIZE = new EpochPipeline.Size(512, 256 << 10, 128);

    private static final long CAPTURE_WAIT_NANOS = 20_000;
    private static final long NOTICE_LIMIT_NANOS = 500_000_000L;

    private final PrimaryConfig config;
    private final ProtectionSwitch protectionSwitch = new ProtectionSwitch();
    /** Of a guest that this process has taken over; null to find the guest and open its network. */
    private final GuestOutlet inherited;

    /** Of that guest, served by this process already. */
    private final List<PrimaryDisk> inheritedDisks;

    /** What the role before this one goes on publishing. */
    private final Runnable publishToo;

    private volatile ProtectionLoop loop;
    private volatile GuestDisks guestDisks;
    private volatile List<PrimaryDisk> servedDisks = List.of();
    private volatile boolean stopRequested;

    private PrimaryAgent(
            final PrimaryConfig config,
            final GuestOutlet inherited,
            final List<PrimaryDisk> inheritedDisks,
            final Runnable publishToo) {
        this.config = config;
        this.inherited = inherited;
        this.inheritedDisks = inheritedDisks;
        this.publishToo = publishToo;
    }

    /** Protects a guest that runs. */
    public PrimaryAgent(final PrimaryConfig config) {
        this(config, null, List.of(), () -> {});
    }

    /**
     * Protects the guest that this process runs since it took over. Refusals do not end it, since it carries the guest's network,
     * and a guest that cannot be attached to is tried again.
     *
     * @param inherited the guest's network, started; stays open when this role has ended
     * @param inheritedDisks the guest's disks, served; stay open as well
     * @param publishToo called whenever counters are published
     */
    public static PrimaryAgent successor(
            final PrimaryConfig config,
            final GuestOutlet inherited,
            final List<PrimaryDisk> inheritedDisks,
            final Runnable publishToo) {
        return new PrimaryAgent(config, inherited, inheritedDisks, publishToo);
    }

    /** Asks the role to end in order. Any thread, for example a shutdown hook. */
    public void stop() {
        stopRequested = true;
        final ProtectionLoop running = loop;
        if (running != null) {
            running.stop();
        }
    }

    /** Whether this role is over but for disks that are being written out, which takes as long as it takes. Any thread. */
    public boolean isWritingOut() {
        final ProtectionLoop ending = loop;
        return (ending == null || ending.isFinishing())
                && servedDisks.stream().anyMatch(disk -> disk.image().isFlushing());
    }

    /**
     * Attaches and protects until the end.
     *
     * @param resources to be closed when this has returned or thrown
     */
    public Outcome run(final Resources resources) throws IOException {
        final RunDirectory.Claim claim = resources.add(config.runDirectory().claim());
        final boolean leftPaused = inherited == null && GuestArrival.wasLeftPaused(config.runDirectory());
        final AgentCounters counters = AgentCounters.create(claim, System.currentTimeMillis());
        counters.text(AgentText.PEER, config.backups().getFirst().toString());
        final ProtectionRecord record = ProtectionRecord.open(config.stateDirectory(), config.vmName());
        counters.set(AgentCounter.GENERATION, record.generation());

        if (leftPaused) {
            // For whoever comes after this agent, should it die, too, before it can end that.
            counters.set(AgentCounter.PAUSED_BY_AGENT, PausedFlag.LEFT_PAUSED);
        }
        final GuestArrival arrival = new GuestArrival(config, counters, () -> stopRequested);
        final List<PrimaryDisk> disks = new ArrayList<>(inheritedDisks);
        if (inherited == null) {
            for (final DiskConfig disk : config.disks()) {
                disks.add(resources.add(PrimaryDisk.open(disk, config.stateDirectory(), config.vmName())));
                LOG.info("disk {}: {} served at {}", disk.name(), disk.image(), disk.socket());
            }
        }
        servedDisks = List.copyOf(disks);
        if (inherited == null && !disks.isEmpty() && !arrival.await(disks)) {
            return Outcome.STOPPED;
        }
        final QemuGuestConfig guestConfig = new QemuGuestConfig(
                        config.qmpSocket(), config.ramFile(), claim.memoryDirectory())
                .withTracker(config.tracker())
                .withScanThreads(config.scanThreads())
                .withPauseInherited(leftPaused)
                .withPausedMarker(paused ->
                        counters.set(AgentCounter.PAUSED_BY_AGENT, paused ? System.nanoTime() : PausedFlag.NOT_PAUSED));
        final QemuGuest guest = inherited == null
                ? QemuGuest.attach(guestConfig)
                : arrival.attachPatiently(guestConfig, () -> publish(counters, inherited));
        if (guest == null) {
            return stopRequested ? Outcome.STOPPED : Outcome.GUEST_LOST;
        }
        resources.add(guest);
        if (guest.isPaused()) {
            LOG.warn("an earlier agent left the guest paused; it goes on once it is certain that no backup runs it");
        } else {
            counters.set(AgentCounter.PAUSED_BY_AGENT, PausedFlag.NOT_PAUSED);
        }
        counters.text(AgentText.DIRTY_TRACKER, guest.dirtyTracker().mechanism());
        LOG.debug("dirty tracker: {}", guest.trackerReason());

        final BlockKernels kernels = BlockKernels.preferred();
        LOG.info("block kernels: {}", kernels.reason());
        kernels.warmUp();

        final GuestOutlet outlet = inherited != null ? inherited : resources.add(GuestOutlet.open(config.nic()));
        outlet.start();
        resources.add(startGuard(guest, claim.directory()));

        final ProtectionLoop protection = buildLoop(resources, counters, record, guest, disks, outlet, claim);
        final Outcome outcome = runLoop(protection, counters, outlet);
        if (outcome == Outcome.SWITCHED_OVER && config.endsGuestWhenMoved()) {
            GuestLeftover.end(guest, disks, record.generation());
        }
        return outcome;
    }

    private GuardProcess startGuard(final QemuGuest guest, final RunDirectory directory) {
        // Sooner than the backup's detector can decide after our last sign of life.
        final Duration resumeLimit = Duration.ofNanos(
                config.detector().timeoutNanos() - config.detector().intervalNanos());
        return GuardProcess.start(
                new GuardOptions(
                        ProcessHandle.current().pid(),
                        guest.qmpSocket(),
                        directory.countersFile(),
                        CountersFile.PAUSED_BY_AGENT_OFFSET,
                        resumeLimit),
                directory.path().resolve("guard.log"),
                () -> {});
    }

    private ProtectionLoop buildLoop(
            final Resources resources,
            final AgentCounters counters,
            final ProtectionRecord record,
            final QemuGuest guest,
            final List<PrimaryDisk> primaryDisks,
            final GuestOutlet outlet,
            final RunDirectory.Claim claim)
            throws IOException {
        final OutputEpochs outputEpochs = outlet.epochs();
        final OutputSignal outputSignal = outlet.signal();
        if (config.policy().kind() == PolicySettings.Kind.OUTPUT && !outlet.hasNic()) {
            LOG.warn("--policy output without a NIC here: there is a checkpoint every --max-period and no other");
        }
        final SystemNanoClock clock = SystemNanoClock.INSTANCE;
        final ModeSwitch modeSwitch = resources.add(new ModeSwitch(
                config.mode(), mode -> new ModeParts(mode, guest.memory().segment(), BlockKernels.preferred())));
        final PrimaryMetrics metrics = new PrimaryMetrics(counters, modeSwitch.parts());
        final EpochPipeline pipeline = resources.add(new EpochPipeline(
                config.mode().identification() == Identification.PAGE ? WHOLE_PAGES_SIZE : PIPELINE_SIZE,
                new SleepingIdleStrategy(CAPTURE_WAIT_NANOS),
                modeSwitch.parts(),
                new EpochEncoder.Listener() {
                    @Override
                    public void onEpochEncoded(
                            final EpochKind kind,
                            final long encodeNanos,
                            final int batches,
                            final int compressedBatches) {
                        metrics.encoded(kind, encodeNanos, batches, compressedBatches);
                    }

                    @Override
                    public void afterEncoded() {
                        outputSignal.progressed();
                    }
                },
                clock));
        final EpochWriter writer = new EpochWriter(pipeline.captured(), modeSwitch.parts(), config.encoderThread());
        final PrimarySession session = new PrimarySession();
        final CommitClock commitClock = new CommitClock();
        final EpochPace pace = new EpochPace(config.policy(), outputSignal, outputEpochs, commitClock, metrics);
        final FailureDetector detector = config.detector().newDetector();
        final VerifyRequests verifyRequests = new VerifyRequests();
        final SwitchoverRequests switchovers = new SwitchoverRequests();

        final Transport transport =
                Transport.start(config.transport(), claim.memoryDirectory().resolve("aeron"));
        final GuestDisks disks = resources.add(
                new GuestDisks(primaryDisks, session, config.diskCopyBytesPerSecond(), metrics::error, clock));
        final OutputRelease release = new OutputRelease(outputEpochs, disks.settler());
        final DiskChangeSender diskSender = resources.add(new DiskChangeSender(disks.all()));
        final EpochSender sender = new EpochSender(pipeline.encoded(), diskSender, config.failurePoints(), guest::kill);
        final PrimaryLink link = new PrimaryLink(
                transport,
                sender,
                pipeline,
                outlet.inboundLog(),
                config.release().isReplay(),
                session,
                detector,
                new Acknowledgements(release, commitClock, sender, metrics, outputSignal),
                clock);
        outlet.inboundLog().onEntryAdded(transport::wake);
        disks.settler().onSettled(transport::wake);
        final IdleStrategy linkIdle = transport.idleStrategy(config.detector().longestSleepNanos());
        if (config.encoderThread()) {
            pipeline.encoded().onFilled(transport::wake);
            resources.add(startRunner(config.transport().idle().newStrategy(), pipeline.encoder()));
            resources.add(startRunner(linkIdle, new CompositeAgent(link, release)));
        } else {
            pipeline.captured().onFilled(transport::wake);
            resources.add(startRunner(linkIdle, new CompositeAgent(link, release, pipeline.encoder())));
        }

        final PrimaryContext context = new PrimaryContext(
                config.vmName(),
                new BackupCandidates(config.backups()),
                inherited == null,
                guest,
                guest.inventory().qemuVersion(),
                guest.inventory().text(),
                pace,
                new CaptureAhead(config.captureAheadPages()),
                writer,
                outputEpochs,
                outlet.inboundLog(),
                disks,
                record,
                detector,
                config.onBackupLoss(),
                NOTICE_LIMIT_NANOS,
                verifyRequests,
                protectionSwitch,
                modeSwitch,
                switchovers,
                config.verifyEvery(),
                clock);
        outputEpochs.modeWhileProtected(config.release());
        if (config.release().isReplay()) {
            metrics.release(
                    "llm: output leaves "
                            + (config.release() == GateMode.AT_ONCE ? "at once" : "when all input before it is logged")
                            + ", input is replayed after a failover; memory as ",
                    modeSwitch.parts());
            LOG.warn("--mode llm: after a failover the guest does again what it did since its last checkpoint;"
                    + " where it does not do the same, clients see it");
        }
        final Checkpointer checkpointer = new Checkpointer(
                guest, writer, outputEpochs, disks, config.failurePoints(), clock, outlet::markInputBoundary);
        final Synchroniser synchroniser = new Synchroniser(guest.memory(), guest.dirtyTracker(), writer);
        final ProtectionWait protectionWait = new ProtectionWait(protectionSwitch, counters);
        final Map<String, ControlHandler> handlers = new HashMap<>(new OperatorCommands(
                        protectionSwitch,
                        protectionWait,
                        this::stop,
                        ProcessHandle.current().pid())
                .handlers());
        handlers.put(
                "verify",
                new VerifyHandler(
                        verifyRequests, protectionSwitch, disks, guest.memory().lengthBytes()));
        guestDisks = disks;
        handlers.put("switchover", new SwitchoverHandler(switchovers, counters, outlet));
        handlers.put("sample", new SampleHandler(metrics));
        handlers.put(
                "set",
                new SetCommandHandler(
                        pace,
                        modeSwitch,
                        protectionSwitch,
                        protectionWait,
                        config.release().isReplay()));
        resources.add(ControlServer.start(claim.directory(), handlers));
        return new ProtectionLoop(context, link, session, pipeline, checkpointer, synchroniser, commitClock, metrics);
    }

    private static AgentRunner startRunner(final IdleStrategy idle, final Agent agent) {
        final AgentRunner runner = new AgentRunner(
                idle, error -> LOG.error("{}: {}", agent.roleName(), error.getMessage(), error), null, agent);
        AgentRunner.startOnThread(runner);
        return runner;
    }

    private Outcome runLoop(final ProtectionLoop protection, final AgentCounters counters, final GuestOutlet outlet) {
        loop = protection;
        if (stopRequested) {
            protection.stop();
        }
        try {
            final ProtectionLoop.End end = LoopRunner.run("checkpoint", protection::run, protection::stop, () -> {
                protection.metrics().publish();
                guestDisks.publish(counters);
                publish(counters, outlet);
            });
            protectionSwitch.ended(end.name());
            return Outcome.valueOf(end.name());
        } finally {
            protectionSwitch.ended("a failure; its log tells more");
        }
    }

    private void publish(final AgentCounters counters, final GuestOutlet outlet) {
        outlet.counters().ifPresent(counters::publish);
        counters.set(AgentCounter.UPDATED_EPOCH_MILLIS, System.currentTimeMillis());
        publishToo.run();
    }
}
