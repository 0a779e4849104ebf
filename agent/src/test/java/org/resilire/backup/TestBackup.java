package org.resilire.backup;

import io.aeron.Subscription;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.DiskIdentity;
import org.resilire.disk.DiskTrial;
import org.resilire.disk.PrimaryDisk;
import org.resilire.disk.ReplicaDisks;
import org.resilire.failover.Fence;
import org.resilire.failover.ProtectionRecord;
import org.resilire.fault.FailurePoints;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.MappedFile;
import org.resilire.synthetic.Await;
import org.resilire.synthetic.PausableAgent;
import org.resilire.synthetic.SteppedClock;
import org.resilire.synthetic.SyntheticGuest;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;

/** A whole backup without QEMU: real link, real loop, synthetic standbys. Its clock and its freezing are in the test's hands. */
public final class TestBackup implements AutoCloseable {

    public static final String VM = "db";
    public static final String QEMU_VERSION = SyntheticStandby.QEMU_VERSION;
    public static final String INVENTORY = SyntheticStandby.INVENTORY;

    /** Long: what a busy machine does to a test must not look like a failure. */
    public static final long DETECT_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(2);

    public static final long DETECT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);

    static final long FENCE_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long TICK_NANOS = 2_000_000;

    /** Set before {@link #start()}. */
    public boolean automatic = true;

    boolean endsActive;

    public String fence;
    /** Image of its disk; null if it has none. */
    public Path disk;

    private ReplicaDisks disks = ReplicaDisks.none();
    Runnable onNetworkOpened = () -> {};

    public final SteppedClock clock = new SteppedClock();
    public final Endpoint endpoint;
    final List<SyntheticStandby> standbys = new CopyOnWriteArrayList<>();
    final AtomicInteger networkOpened = new AtomicInteger();
    private final AtomicInteger standbysToBreak = new AtomicInteger();
    private final AtomicInteger standbysNotToResume = new AtomicInteger();
    final Queue<BackupEvent> events = new ConcurrentLinkedQueue<>();
    final ProtectionRecord record;

    private final Path directory;
    private final MappedFile ram;
    private final AgentCounters counters;
    private final ExecutorService fencing = Executors.newSingleThreadExecutor();
    private final AtomicReference<Throwable> linkFailure = new AtomicReference<>();
    private final CompletableFuture<StandbyLoop.End> end = new CompletableFuture<>();
    private PausableAgent pausableLink;
    private AgentRunner runner;
    private BackupLink link;
    private StandbyLoop loop;

    public TestBackup(final Path directory, final int pages) {
        this(directory, pages, TestTransport.freeEndpoint());
    }

    public TestBackup(final Path directory, final int pages, final Endpoint endpoint) {
        this.directory = directory;
        this.endpoint = endpoint;
        try {
            Files.createDirectories(directory);
            counters = AgentCounters.create(directory.resolve("counters"));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        ram = MappedFile.create(directory.resolve("replica"), (long) pages * GuestMemory.PAGE_BYTES);
        record = ProtectionRecord.open(directory.resolve("state"), VM);
    }

    public TestBackup start() {
        openDisks();
        final BackupContext context = context();
        final Transport transport = TestTransport.start(directory.resolve("aeron"));
        final BackupMetrics metrics = new BackupMetrics(counters);
        final AtomicReference<StandbyLoop> toWake = new AtomicReference<>();
        link = newLink(
                transport, context, () -> Optional.ofNullable(toWake.get()).ifPresent(StandbyLoop::wake), metrics);
        loop = new StandbyLoop(
                context,
                link,
                events,
                new Takeover(context.fence(), record, fencing, context.clock()),
                newStandby(),
                this::newStandby,
                () -> {
                    networkOpened.incrementAndGet();
                    onNetworkOpened.run();
                },
                metrics);
        toWake.set(loop);
        pausableLink = new PausableAgent(link);
        runner = new AgentRunner(
                new BackoffIdleStrategy(10, 20, 1_000, 100_000),
                failure -> linkFailure.compareAndSet(null, failure),
                null,
                pausableLink);
        AgentRunner.startOnThread(runner);
        Thread.ofPlatform().name("standby").start(() -> {
            try {
                end.complete(loop.run());
            } catch (final RuntimeException | AssertionError e) {
                end.completeExceptionally(e);
            }
        });
        return this;
    }

    private void openDisks() {
        if (disk != null) {
            try {
                disks = ReplicaDisks.open(
                        List.of(new DiskConfig("d0", disk, directory.resolve("d0.nbd"))),
                        directory.resolve("state"),
                        VM,
                        record.generation());
            } catch (final IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private BackupContext context() {
        return new BackupContext(
                VM,
                null,
                record,
                automatic,
                endsActive,
                Optional.ofNullable(fence)
                        .map(command -> new Fence(command, FENCE_TIMEOUT_NANOS, directory.resolve("fence.log"))),
                DETECT_INTERVAL_NANOS,
                DETECT_TIMEOUT_NANOS,
                FailurePoints.NONE,
                clock);
    }

    private BackupLink newLink(
            final Transport transport, final BackupContext context, final Runnable wake, final BackupMetrics metrics) {
        final Subscription replication = transport.listen(endpoint, Streams.REPLICATION);
        final Subscription heartbeats = transport.listen(endpoint, Streams.PRIMARY_HEARTBEAT);
        final Subscription inputs = transport.listen(endpoint, Streams.INPUT);
        return new BackupLink(
                transport,
                replication,
                heartbeats,
                inputs,
                new Replica(GuestMemory.mapForReplay(ram.path()), disks),
                context,
                events,
                wake,
                metrics);
    }

    /** Only the link, worked by the test's own thread; {@link #closeLink} closes it. */
    BackupLink linkAlone() {
        link = newLink(
                TestTransport.start(directory.resolve("aeron")), context(), () -> {}, new BackupMetrics(counters));
        return link;
    }

    void closeLink() {
        link.onClose();
        link.replica().close();
        fencing.shutdownNow();
        ram.close();
    }

    /** The standby that is there and those that replace it do not take their state, so many in all. */
    public void breakStandbys(final int count) {
        standby().failsToLoad = count > 0;
        standbysToBreak.set(count - 1);
    }

    /** The standby that is there and those that replace it do not go on when told, so many in all. */
    public void breakResuming(final int count) {
        standby().refusesToResume = count > 0;
        standbysNotToResume.set(count - 1);
    }

    /** Done while the standby loads its state, or once it runs. */
    public void onLoading(final Runnable what) {
        standby().onLoading = what;
    }

    public void onResumed(final Runnable what) {
        standby().onResumed = what;
    }

    private SyntheticStandby newStandby() {
        final SyntheticStandby standby = new SyntheticStandby(ram);
        standby.refusesToResume = standbysNotToResume.getAndDecrement() > 0;
        standby.failsToLoad = standbysToBreak.getAndDecrement() > 0;
        standbys.add(standby);
        return standby;
    }

    /** What this host says of its disk to a primary that greets. */
    public DiskIdentity diskIdentity() {
        return disks.identities().getFirst();
    }

    /** What this host has of the guest's disk, as its owner. */
    public PrimaryDisk diskOfGuest() {
        return disks.toPrimary().getFirst();
    }

    SyntheticStandby standby() {
        return standbys.getLast();
    }

    public void adoptGeneration(final long generation) {
        record.adoptGeneration(generation);
    }

    public CompletableFuture<String> failover() {
        return loop.requestFailover();
    }

    /** As if this host stood still. */
    public void freeze() {
        pausableLink.pause();
    }

    public void thaw() {
        pausableLink.goOn();
    }

    /** The latest of what this backup said that the primary has echoed, in the time of this backup's clock. */
    long lastHeardNanos() {
        // Asked while the link rests: the answer belongs to its thread.
        freeze();
        try {
            return link.lastHeardNanos();
        } finally {
            thaw();
        }
    }

    /** Whether a guest that starts from the last checkpoint is given its input again. */
    public boolean replaysInput() {
        freeze();
        try {
            return link.replica().replays();
        } finally {
            thaw();
        }
    }

    /** How far the input log of this backup goes; -1 if it has none. */
    public long inputPosition() {
        freeze();
        try {
            return link.replica().replayLog().position();
        } finally {
            thaw();
        }
    }

    /** Frames of the input log that the last checkpoint may not have seen. */
    public long inputFrames() {
        freeze();
        try {
            return link.replica().replayLog().frames();
        } finally {
            thaw();
        }
    }

    /** Lets a silent primary be silent for long enough. */
    public void passSilence(final AgentState until) {
        Await.until(
                "the silence makes the backup " + until,
                () -> state() == until || end.isCompletedExceptionally(),
                () -> {
                    // Once the silence is noticed, what it leads to has its time limit: however late its threads are
                    // here, that is not what the test is about.
                    if (!link.isSealed()) {
                        clock.pass(DETECT_INTERVAL_NANOS);
                    }
                    LockSupport.parkNanos(TICK_NANOS);
                    pausableLink.awaitCycles(2);
                });
        failIfEnded();
        if (until == AgentState.AWAITING_OPERATOR || until == AgentState.STANDBY_WAITING) {
            // Said a moment before: what a primary says in between is not heard, and is said again by a real one.
            awaitListening();
        }
    }

    /** Lets time pass no faster than the link goes round. */
    void pass(final long nanos) {
        clock.pass(nanos);
        pausableLink.awaitCycles(2);
    }

    /** Of a session that was discarded nothing is left then. */
    void awaitListening() {
        Await.until("the link listens for primaries", () -> !link.isSealed());
    }

    public AgentState state() {
        return AgentState.ofCode(counters.value(AgentCounter.STATE));
    }

    public void awaitState(final AgentState expected) {
        Await.until("the backup is " + expected, () -> {
            failIfEnded();
            return state() == expected;
        });
    }

    private void failIfEnded() {
        if (end.isCompletedExceptionally()) {
            end.join();
        }
    }

    /** Returns true once the loop has ended because the guest did. */
    boolean hasGuestEnded() {
        return end.getNow(null) == StandbyLoop.End.GUEST_ENDED;
    }

    /** Returns true once the loop has ended because the guest runs here. */
    boolean hasTakenOver() {
        return end.getNow(null) == StandbyLoop.End.TOOK_OVER;
    }

    public long committedEpoch() {
        return counters.value(AgentCounter.EPOCH_COMMITTED);
    }

    public long synchronisations() {
        return counters.value(AgentCounter.SYNCHRONISATIONS);
    }

    public String lastError() {
        return counters.text(AgentText.LAST_ERROR);
    }

    /** The replica as the standby sees it. */
    public MappedFile ram() {
        return ram;
    }

    public boolean isGuestRunning() {
        return standbys.stream().anyMatch(standby -> standby.isRunning);
    }

    /** Of the guest that was started here. */
    public long stepsAtStart() {
        return standbys.stream()
                .filter(standby -> standby.isRunning)
                .mapToLong(standby -> standby.stepsAtStart)
                .findFirst()
                .orElse(-1);
    }

    /** Copies the replica into a file that is as long. */
    CompletableFuture<SnapshotRequest.Done> copyTo(final FileChannel file) {
        return copyTo(file, Optional.empty());
    }

    private CompletableFuture<SnapshotRequest.Done> copyTo(final FileChannel file, final Optional<DiskTrial> trial) {
        final SnapshotRequest request = new SnapshotRequest(file, trial, new CompletableFuture<>());
        link.snapshot(request);
        return request.result();
    }

    /** Copies the replica into a file that is as long, and begins a trial of its disk; returns how many steps the copied guest had made. */
    public long copyTo(final FileChannel file, final DiskTrial trial) {
        final SnapshotRequest.Done done =
                copyTo(file, Optional.of(trial)).orTimeout(30, TimeUnit.SECONDS).join();
        final MemorySegment state = MemorySegment.ofArray(done.deviceState().array());
        return SyntheticGuest.stepsOf(state, (int) state.byteSize());
    }

    /** A trial of its disk that has not begun. */
    public DiskTrial newTrial() throws IOException {
        return DiskTrial.open(disks, directory);
    }

    /** Dies: what it had not dealt with by now it never will. */
    public void die() {
        loop.stop();
        end.join();
        close();
    }

    public long generation() {
        return record.generation();
    }

    @Override
    public void close() {
        if (loop == null) {
            fencing.shutdownNow();
            ram.close();
            return;
        }
        // First: once the link goes on, a primary that greets would be let in.
        loop.stop();
        thaw();
        try {
            end.join();
        } finally {
            runner.close();
            fencing.shutdownNow();
            link.replica().close();
            CloseHelper.close(disks);
            ram.close();
        }
        if (linkFailure.get() != null) {
            throw new AssertionError("the link thread failed", linkFailure.get());
        }
    }
}
