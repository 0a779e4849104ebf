package org.resilire.primary;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.CompositeAgent;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.PrimaryDisk;
import org.resilire.epoch.EpochPipeline;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.ReplicationMode;
import org.resilire.failover.FailureDetector;
import org.resilire.failover.ProtectionRecord;
import org.resilire.fault.FailurePoints;
import org.resilire.net.GateMode;
import org.resilire.net.InboundLog;
import org.resilire.net.OutputEpochs;
import org.resilire.net.OutputSignal;
import org.resilire.simd.ScalarBlockKernels;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.PausableAgent;
import org.resilire.synthetic.SteppedClock;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;

/** A whole primary without QEMU: real link, real loop, a synthetic guest. Its clock and its freezing are in the test's hands. */
final class TestPrimary implements AutoCloseable {

    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** Less than the silence that ends a session, more than any thread here is late. */
    private static final long NOTICE_LIMIT_NANOS = TestBackup.DETECT_TIMEOUT_NANOS * 3 / 4;

    private static final long TICK_NANOS = 2_000_000;

    /** Set before {@link #start()}. */
    BackupLossPolicy onBackupLoss = BackupLossPolicy.CONTINUE;

    List<String> armed = List.of();
    long verifyEvery;
    long captureAheadPages;
    boolean endsWhenRefused = true;
    /** Image of its disk; null if it has none. */
    Path disk;

    PrimaryDisk primaryDisk;
    boolean replaysInput;
    ReplicationMode replicationMode = ReplicationMode.fgbi();
    boolean encoderThread;
    PolicySettings policy = PolicySettings.periodic(PERIOD_NANOS);
    /** Told on the link thread, after output was released. */
    volatile PrimaryLink.AckListener onAcknowledged = (epoch, restorable, nowNanos) -> {};

    final SteppedClock clock = new SteppedClock();
    final OutputEpochs output = new OutputEpochs(GateMode.DISCARD);
    final InboundLog inboundLog = new InboundLog(output, 64 << 10);
    final SyntheticGuest guest;
    final ProtectionRecord record;
    final VerifyRequests verifyRequests = new VerifyRequests();
    final ProtectionSwitch protectionSwitch = new ProtectionSwitch();
    final OutputSignal outputSignal = new OutputSignal();
    final SwitchoverRequests switchovers = new SwitchoverRequests();
    final PrimarySession session = new PrimarySession();
    final AtomicLong restorableAcknowledgements = new AtomicLong();

    private final Path directory;
    private final List<Endpoint> backups;
    final AgentCounters counters;
    private final AtomicReference<Throwable> linkFailure = new AtomicReference<>();
    private final CompletableFuture<ProtectionLoop.End> end = new CompletableFuture<>();
    private EpochPipeline pipeline;
    ModeSwitch modeSwitch;
    private GuestDisks disks;
    private DiskChangeSender diskSender;
    private PausableAgent pausableLink;
    private AgentRunner runner;
    private AgentRunner encoderRunner;
    private ProtectionLoop loop;
    EpochPace pace;

    TestPrimary(final Path directory, final int pages, final Endpoint... backups) {
        this.directory = directory;
        this.backups = List.of(backups);
        try {
            Files.createDirectories(directory);
            counters = AgentCounters.create(directory.resolve("counters"));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        output.beginEpoch(1);
        guest = new SyntheticGuest(directory.resolve("ram"), pages, output).start();
        record = ProtectionRecord.open(directory.resolve("state"), TestBackup.VM);
    }

    TestPrimary start() {
        modeSwitch = new ModeSwitch(
                replicationMode, wanted -> new ModeParts(wanted, guest.memory().segment(), new ScalarBlockKernels()));
        final ModeParts mode = modeSwitch.parts();
        final PrimaryMetrics metrics = new PrimaryMetrics(counters, mode);
        pipeline = new EpochPipeline(
                new EpochPipeline.Size(8, 64 << 10, 8),
                new SleepingIdleStrategy(20_000),
                mode,
                metrics::encoded,
                clock);
        final EpochWriter writer = new EpochWriter(pipeline.captured(), mode, encoderThread);
        final CommitClock commitClock = new CommitClock();
        pace = new EpochPace(policy, outputSignal, output, commitClock, metrics);
        final FailureDetector detector =
                new FailureDetector(TestBackup.DETECT_INTERVAL_NANOS, TestBackup.DETECT_TIMEOUT_NANOS);
        final FailurePoints failurePoints = new FailurePoints(armed);
        disks = new GuestDisks(openDisks(), session, Long.MAX_VALUE, complaint -> {}, clock);
        final OutputRelease release = new OutputRelease(output, disks.settler());
        diskSender = new DiskChangeSender(disks.all());
        final EpochSender sender = new EpochSender(pipeline.encoded(), diskSender, failurePoints, guest::kill);
        final PrimaryLink link = new PrimaryLink(
                TestTransport.start(directory.resolve("aeron")),
                sender,
                pipeline,
                inboundLog,
                replaysInput,
                session,
                detector,
                new PrimaryLink.AckListener() {
                    @Override
                    public void onAcknowledged(final long epoch, final boolean restorable, final long nowNanos) {
                        if (restorable) {
                            release.acknowledged(epoch);
                            restorableAcknowledgements.incrementAndGet();
                        }
                        commitClock.acknowledged(epoch, nowNanos);
                        onAcknowledged.onAcknowledged(epoch, restorable, nowNanos);
                    }

                    @Override
                    public void afterAcknowledged() {
                        outputSignal.progressed();
                        onAcknowledged.afterAcknowledged();
                    }
                },
                clock);
        output.modeWhileProtected(replaysInput ? GateMode.LOGGED : GateMode.HOLD);
        final Checkpointer checkpointer =
                new Checkpointer(guest, writer, output, disks, failurePoints, clock, epoch -> {
                    inboundLog.begin();
                    inboundLog.markBoundary(epoch);
                });
        final PrimaryContext context = new PrimaryContext(
                TestBackup.VM,
                new BackupCandidates(backups),
                endsWhenRefused,
                guest,
                TestBackup.QEMU_VERSION,
                TestBackup.INVENTORY,
                pace,
                new CaptureAhead(captureAheadPages),
                writer,
                output,
                inboundLog,
                disks,
                record,
                detector,
                onBackupLoss,
                NOTICE_LIMIT_NANOS,
                verifyRequests,
                protectionSwitch,
                modeSwitch,
                switchovers,
                verifyEvery,
                clock);
        loop = new ProtectionLoop(
                context,
                link,
                session,
                pipeline,
                checkpointer,
                new Synchroniser(guest.memory(), guest.dirtyTracker(), writer),
                commitClock,
                metrics);
        pausableLink = new PausableAgent(
                encoderThread
                        ? new CompositeAgent(link, release)
                        : new CompositeAgent(link, release, pipeline.encoder()));
        if (encoderThread) {
            encoderRunner = new AgentRunner(
                    new SleepingIdleStrategy(20_000),
                    failure -> linkFailure.compareAndSet(null, failure),
                    null,
                    pipeline.encoder());
            AgentRunner.startOnThread(encoderRunner);
        }
        runner = new AgentRunner(
                new BackoffIdleStrategy(10, 20, 1_000, 100_000),
                failure -> linkFailure.compareAndSet(null, failure),
                null,
                pausableLink);
        AgentRunner.startOnThread(runner);
        Thread.ofPlatform().name("checkpoint").start(() -> {
            try {
                end.complete(loop.run());
            } catch (final RuntimeException | AssertionError e) {
                end.completeExceptionally(e);
            }
        });
        return this;
    }

    private List<PrimaryDisk> openDisks() {
        if (disk == null) {
            return List.of();
        }
        try {
            final DiskConfig config = new DiskConfig("d0", disk, directory.resolve("d0.nbd"));
            primaryDisk = PrimaryDisk.open(config, directory.resolve("state"), TestBackup.VM);
            return List.of(primaryDisk);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As if this host stood still or were gone; the guest goes on making steps that nobody sees. */
    void freeze() {
        pausableLink.pause();
    }

    void thaw() {
        pausableLink.goOn();
    }

    void stop() {
        loop.stop();
    }

    /** Wants the guest moved, as an operator does; completes when the agent has answered. */
    CompletableFuture<SwitchoverRequests.Moved> move() {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return switchovers.await(() -> state() == AgentState.PROTECTED);
            } catch (final InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    ProtectionLoop.End awaitEnd() {
        return end.orTimeout(60, TimeUnit.SECONDS).join();
    }

    boolean hasEnded() {
        return end.isDone();
    }

    /** Lets a silent backup be silent for long enough, and no time pass once that is noticed. */
    void passSilence() {
        Await.until(
                "the primary notices the silence",
                () -> state() != AgentState.PROTECTED && state() != AgentState.SYNCHRONISING,
                this::passWhileOpen);
    }

    /** What the end of a session leads to has its time limit: however late its threads are here, that is not what a test is about. */
    void passWhileOpen() {
        if (session.phase() == PrimarySession.Phase.OPEN) {
            pass(TestBackup.DETECT_INTERVAL_NANOS);
        } else {
            LockSupport.parkNanos(TICK_NANOS);
        }
    }

    /** Lets time pass no faster than the link goes round. */
    void pass(final long nanos) {
        clock.pass(nanos);
        LockSupport.parkNanos(TICK_NANOS);
        pausableLink.awaitCycles(2);
    }

    AgentState state() {
        return AgentState.ofCode(counters.value(AgentCounter.STATE));
    }

    void awaitState(final AgentState expected) {
        Await.until("the primary is " + expected, () -> {
            if (end.isCompletedExceptionally()) {
                end.join();
            }
            return state() == expected;
        });
    }

    /** Returns when so many more checkpoints were acknowledged. */
    void awaitCheckpoints(final long more) {
        final long until = restorableAcknowledgements.get() + more;
        Await.until("checkpoints are acknowledged", () -> restorableAcknowledgements.get() >= until);
    }

    String text(final AgentText text) {
        return counters.text(text);
    }

    long value(final AgentCounter counter) {
        return counters.value(counter);
    }

    @Override
    public void close() {
        try {
            thaw();
            loop.stop();
            // Whatever it still waits for.
            Await.until("the primary ends", end::isDone, () -> pass(TestBackup.DETECT_INTERVAL_NANOS));
            awaitEnd();
        } finally {
            runner.close();
            CloseHelper.close(encoderRunner);
            CloseHelper.closeAll(diskSender, disks);
            pipeline.close();
            modeSwitch.close();
            guest.close();
            CloseHelper.close(primaryDisk);
            inboundLog.close();
            output.close();
        }
        if (linkFailure.get() != null) {
            throw new AssertionError("the link thread failed", linkFailure.get());
        }
    }
}
