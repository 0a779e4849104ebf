package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.QmpClient;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadProgress;
import org.resilire.testbed.load.LoadResult;

/** One guest, from its boot to the end of its life on a second host. One thread. */
final class FailoverRun implements AutoCloseable {

    private static final int FLOOR_SAMPLES = 150;
    private static final Duration PROTECTION_LIMIT = Duration.ofSeconds(90);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(20);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(100);
    private static final Duration SHOWN_INTERVAL = Duration.ofMillis(500);

    /** Death comes within this time after the protected run, at an instant that nobody chose. */
    private static final long DEATH_SPREAD_NANOS = Duration.ofSeconds(1).toNanos();

    /** How long the clients go on with the new host. */
    private static final Duration AFTERLIFE = Duration.ofSeconds(3);

    private final Lab lab;
    private final FailoverPlan plan;
    private final Narrator narrator;
    private final List<String> complaints = new ArrayList<>();

    private GuestProcess guest;
    private AgentProcess primary;
    private AgentProcess standby;
    private LoadProcess load;
    private PauseFloor floor;
    private AgentFigures figures;
    private long protectedNs;
    private long killedNs;
    private Takeover takeover;

    FailoverRun(final Lab lab, final FailoverPlan plan, final Narrator narrator) {
        this.lab = lab;
        this.plan = plan;
        this.narrator = narrator;
    }

    FailoverResult run() {
        boot();
        attachPrimary();
        startLoad();
        measureFloor();
        startStandby();
        awaitProtection();
        runProtected();
        awaken();
        killHostA();
        awaitTakeover();
        awaitService();
        return conclude();
    }

    private void boot() {
        narrator.tell(
                "Host A boots a guest: %d MiB, %d vCPU",
                plan.guest().memoryMiB(), plan.guest().cpus());
        final long startedNs = System.nanoTime();
        guest = GuestProcess.start(lab, plan.guest()).awaitReady();
        narrator.tell("  Redis and nginx answer after %.1f s", secondsSince(startedNs));
    }

    /** Without a backup yet: the guest's frames pass through the agent, its state goes nowhere. */
    private void attachPrimary() {
        narrator.tell("The agent on host A attaches to the running guest");
        primary = AgentProcess.protect(lab, plan.agents()).awaitStarted().awaitAttached();
    }

    private void startLoad() {
        load = LoadProcess.start(lab, plan.load());
        narrator.tell(
                "%d clients are connected%s",
                load.progress().connections(), plan.isIdle() ? " and silent" : " and remember every answer");
    }

    private void measureFloor() {
        narrator.tell("Measuring the floor of a checkpoint's pause: stop, device state, cont, %d times", FLOOR_SAMPLES);
        try (QmpClient qmp = guest.openQmp()) {
            floor = PauseFloor.measure(
                    qmp, lab.sharedMemory("floor"), plan.agents().period(), FLOOR_SAMPLES);
        }
        narrator.tell("  p50 %.2f ms, p99 %.2f ms", floor.millisP50(), floor.millisP99());
    }

    private void startStandby() {
        narrator.tell("Host B stands by");
        standby = AgentProcess.standby(lab, plan.guest(), TakeoverMode.AUTO, plan.agents())
                .awaitStarted();
    }

    private void awaitProtection() {
        final long startedNs = System.nanoTime();
        watchSynchronisation();
        protectedNs = System.nanoTime();
        StandbyQemu.find(lab);
        narrator.tell("  protected after %.1f s", secondsSince(startedNs));
    }

    private void watchSynchronisation() {
        final long startedNs = System.nanoTime();
        final long[] shownNs = {startedNs};
        Await.until(
                () -> {
                    if (System.nanoTime() - shownNs[0] > SHOWN_INTERVAL.toNanos()) {
                        shownNs[0] = System.nanoTime();
                        showSynchronisation();
                    }
                    return isProtected()
                            || !primary.process().isAlive()
                            || !standby.process().isAlive();
                },
                PROTECTION_LIMIT,
                () -> "the guest is not protected after " + PROTECTION_LIMIT.toSeconds() + " s: " + describeAgents());
        if (!isProtected()) {
            throw new TestbedException("an agent ended before the guest was protected: " + describeAgents());
        }
    }

    private boolean isProtected() {
        return primary.state() == AgentState.PROTECTED && standby.state() == AgentState.STANDBY_READY;
    }

    private void showSynchronisation() {
        final long done = primary.counter(AgentCounter.SYNC_PAGES_DONE);
        final long total = primary.counter(AgentCounter.SYNC_PAGES_TOTAL);
        if (total > 0 && done >= 0) {
            narrator.tell("  copying memory: %d of %d pages (%d %%)", done, total, 100 * done / total);
        }
    }

    private String describeAgents() {
        return primary.described() + standby.described();
    }

    private void runProtected() {
        final ProtectedTime time = new ProtectedTime(primary, standby, load, narrator);
        time.run(plan.protectedFor(), plan.verifications());
        complaints.addAll(time.complaints());
        figures = AgentFigures.of(primary);
    }

    /** Silent clients could not tell how long the service was down. */
    private void awaken() {
        if (plan.isIdle()) {
            final long awakenedNs = System.nanoTime();
            load.goOn();
            awaitAnswersSince(awakenedNs);
        }
    }

    private void killHostA() {
        final SplittableRandom random = new SplittableRandom(plan.seed());
        LockSupport.parkNanos(random.nextLong(DEATH_SPREAD_NANOS));
        // Only a protected guest is promised to survive, and on a busy machine protection may just be lost.
        watchSynchronisation();
        final boolean isGuestFirst = random.nextBoolean();
        killedNs = System.nanoTime();
        if (isGuestFirst) {
            guest.process().kill();
            primary.process().kill();
        } else {
            primary.process().kill();
            guest.process().kill();
        }
        narrator.tell("Host A is dead: QEMU and agent killed (seed %d)", plan.seed());
    }

    private void awaitTakeover() {
        takeover = Takeover.await(standby, killedNs);
        if (takeover.hasHappened()) {
            narrator.tell("Host B runs the guest after %s", Figures.millis(takeoverMillis()));
        } else {
            complaints.add("host B did not take over: it is " + standby.state()
                    + (standby.lastError().isEmpty() ? "" : ", " + standby.lastError())
                    + standby.process().logTail());
        }
    }

    private Double takeoverMillis() {
        return takeover.hasHappened() ? Figures.rounded((takeover.activeNs() - killedNs) / 1e6) : null;
    }

    private void awaitService() {
        if (!takeover.hasHappened()) {
            return;
        }
        try {
            awaitAnswersSince(takeover.stoodByNs());
            narrator.tell("The clients' connections go on");
            LockSupport.parkNanos(AFTERLIFE.toNanos());
        } catch (final TestbedException noAnswers) {
            complaints.add(noAnswers.getMessage());
        }
    }

    private void awaitAnswersSince(final long instantNs) {
        Await.until(
                () -> {
                    final LoadProgress progress = load.progress();
                    return progress.oldestAcknowledgedNs() - instantNs > 0
                            || progress.brokenConnections() == progress.connections();
                },
                SERVICE_LIMIT,
                PROGRESS_INTERVAL,
                () -> "some connections got no answer within " + SERVICE_LIMIT.toSeconds() + " s");
    }

    private FailoverResult conclude() {
        LoadResult clients = null;
        if (takeover.hasHappened()) {
            narrator.tell("Verifying what the clients were told");
            try {
                clients = load.finish(new FailoverTimes(protectedNs, killedNs, takeover.stoodByNs()));
                complaints.addAll(clients.complaints());
            } catch (final TestbedException failure) {
                complaints.add("what the clients were told could not be verified: " + failure.getMessage());
            }
        }
        complaints.addAll(Promises.broken(figures, clients));
        return result(clients);
    }

    private FailoverResult result(final LoadResult clients) {
        final Double pauseP50 = figures.pauseMillisP50();
        return new FailoverResult(
                figures.epochs(),
                pauseP50,
                figures.pauseMillisP99(),
                Figures.rounded(floor.millisP50()),
                figures.commitMillisP50(),
                figures.commitMillisP99(),
                figures.bytesPerEpochMean(),
                AgentFigures.millis(standby, AgentCounter.DETECT_NANOS_LAST),
                AgentFigures.millis(standby, AgentCounter.RESUME_NANOS_LAST),
                clients == null ? null : Figures.rounded(clients.downtimeMillisMedian()),
                clients == null ? load.progress().acknowledgedOperations() : clients.acknowledgedOperations(),
                clients == null ? null : Long.valueOf(clients.lostOperations()),
                clients == null ? null : Integer.valueOf(clients.connectionsSurvived()),
                figures.verifiedEpochs(),
                clients == null ? null : Long.valueOf(clients.rewinds()),
                clients == null ? null : Integer.valueOf(clients.connections()),
                pauseP50 == null ? null : Figures.rounded(pauseP50 / floor.millisP50()),
                Figures.rounded(floor.millisP99()),
                clients == null ? null : Figures.rounded(clients.downtimeMillisFirst()),
                clients == null ? null : Figures.rounded(clients.downtimeMillisWorst()),
                takeoverMillis(),
                figures.protectionLosses(),
                clients == null ? null : Figures.rounded(clients.latencyMillisP50()),
                clients == null ? null : Figures.rounded(clients.latencyMillisP99()),
                clients == null ? null : Figures.rounded(clients.unprotectedLatencyMillisP50()),
                plan.isIdle(),
                plan.agents().period().toMillis(),
                plan.guest().memoryMiB(),
                plan.guest().cpus(),
                plan.seed(),
                List.copyOf(complaints));
    }

    private static double secondsSince(final long startedNs) {
        return (System.nanoTime() - startedNs) / 1e9;
    }

    /** Ends what it started; what the agents started ends with the lab. */
    @Override
    public void close() {
        if (load != null) {
            load.close();
        }
        if (standby != null) {
            standby.close();
        }
        if (primary != null) {
            primary.close();
        }
        if (guest != null) {
            guest.close();
        }
    }
}
