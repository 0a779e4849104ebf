package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.PauseFloor;
import org.resilire.testbed.lab.QmpClient;
import org.resilire.testbed.load.LoadResult;

/** One guest, from its boot to the end of its life on a second host. One thread. */
final class FailoverRun implements AutoCloseable {

    private static final int FLOOR_SAMPLES = 150;

    /** How long the clients go on with the new host. */
    private static final Duration AFTERLIFE = Duration.ofSeconds(3);

    private final FailoverPlan plan;
    private final Narrator narrator;
    private final Demonstration demonstration;
    private PauseFloor floor;

    FailoverRun(final Lab lab, final FailoverPlan plan, final Narrator narrator) {
        this.plan = plan;
        this.narrator = narrator;
        demonstration = new Demonstration(lab, plan, narrator);
    }

    FailoverResult run() {
        boot();
        attachPrimary();
        demonstration.startLoad(plan.isIdle() ? " and silent" : " and remember every answer");
        measureFloor();
        demonstration.protect("Host B stands by");
        demonstration.runProtected();
        awaken();
        demonstration.killHostA();
        return result(demonstration.takeover().hasHappened() ? liveOn() : null);
    }

    private void boot() {
        narrator.tell(
                "Host A boots a guest: %d MiB, %d vCPU",
                plan.guest().memoryMiB(), plan.guest().cpus());
        final long startedNs = System.nanoTime();
        demonstration.hosts().bootGuest();
        narrator.tell("  Redis and nginx answer after %.1f s", Demonstration.secondsSince(startedNs));
    }

    /** Without a backup yet: the guest's frames pass through the agent, its state goes nowhere. */
    private void attachPrimary() {
        narrator.tell("The agent on host A attaches to the running guest");
        demonstration.hosts().startPrimary(plan.agents()).awaitAttached();
    }

    private void measureFloor() {
        narrator.tell("Measuring the floor of a checkpoint's pause: stop, device state, cont, %d times", FLOOR_SAMPLES);
        try (QmpClient qmp = demonstration.hosts().guest().openQmp()) {
            floor = PauseFloor.measure(
                    qmp,
                    demonstration.lab().sharedMemory("floor"),
                    plan.agents().period(),
                    FLOOR_SAMPLES);
        }
        narrator.tell("  p50 %.2f ms, p99 %.2f ms", floor.millisP50(), floor.millisP99());
    }

    /** Silent clients could not tell how long the service was down. */
    private void awaken() {
        if (plan.isIdle()) {
            final long awakenedNs = System.nanoTime();
            demonstration.load().goOn();
            demonstration.awaitAnswersSince(awakenedNs);
        }
    }

    private LoadResult liveOn() {
        if (demonstration.awaitService()) {
            LockSupport.parkNanos(AFTERLIFE.toNanos());
        }
        return demonstration.finishLoad();
    }

    private FailoverResult result(final LoadResult loadResult) {
        final AgentFigures figures = demonstration.figures();
        final ClientFigures clients = ClientFigures.of(loadResult);
        final AgentProcess standby = demonstration.hosts().standby();
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
                clients.downtimeMillisMedian(),
                loadResult == null ? demonstration.load().progress().acknowledgedOperations() : clients.acknowledged(),
                clients.lost(),
                clients.connectionsSurvived(),
                figures.verifiedEpochs(),
                clients.rewinds(),
                clients.connections(),
                pauseP50 == null ? null : Figures.rounded(pauseP50 / floor.millisP50()),
                Figures.rounded(floor.millisP99()),
                clients.downtimeMillisFirst(),
                clients.downtimeMillisWorst(),
                demonstration.takeoverMillis(),
                figures.protectionLosses(),
                clients.latencyMillisP50(),
                clients.latencyMillisP99(),
                clients.unprotectedLatencyMillisP50(),
                plan.isIdle(),
                plan.agents().period().toMillis(),
                plan.guest().memoryMiB(),
                plan.guest().cpus(),
                plan.seed(),
                demonstration.brokenPromises(loadResult));
    }

    @Override
    public void close() {
        demonstration.close();
    }
}
