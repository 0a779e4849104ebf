package org.resilire.testbed.demo;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.HostPair;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.lab.Takeover;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadResult;

/**
 * The steps that every shown failover has: a guest and its clients are protected, its host dies, the other takes over. Each step is told
 * as it is made; what goes wrong once host A is dead is a complaint, what goes wrong before an exception. One thread.
 */
final class Demonstration implements AutoCloseable {

    /** Death comes within this time after the protected run, at an instant that nobody chose. */
    static final Duration DEATH_SPREAD = Duration.ofSeconds(1);

    private static final Duration PROTECTION_LIMIT = Duration.ofSeconds(90);
    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(15);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(20);
    private static final Duration SHOWN_INTERVAL = Duration.ofMillis(500);

    private final Lab lab;
    private final FailoverPlan plan;
    private final Narrator narrator;
    private final HostPair hosts;
    private final List<String> complaints = new ArrayList<>();
    private LoadProcess load;
    private AgentFigures figures;
    private double protectMillis;
    private long protectedNs;
    private Takeover takeover;

    Demonstration(final Lab lab, final FailoverPlan plan, final Narrator narrator) {
        this.lab = lab;
        this.plan = plan;
        this.narrator = narrator;
        hosts = new HostPair(lab, plan.guest());
    }

    /** @param remark about the clients, for people */
    void startLoad(final String remark) {
        load = LoadProcess.start(lab, plan.load());
        narrator.tell("%d clients are connected%s", load.progress().connections(), remark);
    }

    /** @param step what is told before */
    void protect(final String step) {
        narrator.tell("%s", step);
        hosts.startStandby(TakeoverMode.AUTO, plan.agents());
        final long startedNs = System.nanoTime();
        awaitProtection();
        protectedNs = System.nanoTime();
        protectMillis = (protectedNs - startedNs) / 1e6;
        StandbyQemu.find(lab);
        narrator.tell("  protected after %.1f s", secondsSince(startedNs));
    }

    private void awaitProtection() {
        final long[] shownNs = {System.nanoTime()};
        hosts.awaitProtected(PROTECTION_LIMIT, () -> {
            if (System.nanoTime() - shownNs[0] > SHOWN_INTERVAL.toNanos()) {
                shownNs[0] = System.nanoTime();
                showSynchronisation();
            }
        });
    }

    private void showSynchronisation() {
        final long done = hosts.primary().counter(AgentCounter.SYNC_PAGES_DONE);
        final long total = hosts.primary().counter(AgentCounter.SYNC_PAGES_TOTAL);
        if (total > 0 && done >= 0) {
            narrator.tell("  copying memory: %d of %d pages (%d %%)", done, total, 100 * done / total);
        }
    }

    void runProtected() {
        final ProtectedTime time = new ProtectedTime(hosts.primary(), hosts.standby(), load, narrator);
        time.run(plan.protectedFor(), plan.verifications());
        complaints.addAll(time.complaints());
        figures = AgentFigures.of(hosts.primary());
    }

    void killHostA() {
        final SplittableRandom random = new SplittableRandom(plan.seed());
        LockSupport.parkNanos(random.nextLong(DEATH_SPREAD.toNanos()));
        // Only a protected guest is promised to survive, and on a busy machine protection may just be lost.
        awaitProtection();
        final long killedNs = hosts.killHostA(random.nextBoolean());
        narrator.tell("Host A is dead: QEMU and agent killed (seed %d)", plan.seed());
        takeover = Takeover.await(hosts.standby(), killedNs, TAKEOVER_LIMIT);
        if (takeover.hasHappened()) {
            narrator.tell("Host B runs the guest after %s", Figures.millis(takeoverMillis()));
        } else {
            final AgentProcess standby = hosts.standby();
            complain("host B did not take over: it is " + standby.state()
                    + (standby.lastError().isEmpty() ? "" : ", " + standby.lastError())
                    + standby.process().logTail());
        }
    }

    /** After a takeover. False: not all connections were answered. */
    boolean awaitService() {
        try {
            awaitAnswersSince(takeover.stoodByNs());
            narrator.tell("The clients' connections go on");
            return true;
        } catch (final TestbedException noAnswers) {
            complain(noAnswers.getMessage());
            return false;
        }
    }

    void awaitAnswersSince(final long instantNs) {
        load.awaitAnswersSince(instantNs, SERVICE_LIMIT);
    }

    /** After a takeover: ends the load. Null: it could not be compared. */
    LoadResult finishLoad() {
        narrator.tell("Verifying what the clients were told");
        try {
            final LoadResult clients = load.finish(FailoverTimes.between(protectedNs, takeover));
            complaints.addAll(clients.complaints());
            return clients;
        } catch (final TestbedException failure) {
            complain("what the clients were told could not be verified: " + failure.getMessage());
            return null;
        }
    }

    void complain(final String complaint) {
        complaints.add(complaint);
    }

    /** What went wrong, and what was promised and not kept. */
    List<String> brokenPromises(final LoadResult clients) {
        final List<String> broken = new ArrayList<>(complaints);
        broken.addAll(Promises.broken(figures, clients));
        return List.copyOf(broken);
    }

    Lab lab() {
        return lab;
    }

    HostPair hosts() {
        return hosts;
    }

    LoadProcess load() {
        return load;
    }

    /** Of the primary, at the end of the protected time. */
    AgentFigures figures() {
        return figures;
    }

    /** From the standby's start to a protected guest. */
    double protectMillis() {
        return protectMillis;
    }

    /** From when on the guest was protected. */
    long protectedNs() {
        return protectedNs;
    }

    Takeover takeover() {
        return takeover;
    }

    /** Null if host B did not take over. */
    Double takeoverMillis() {
        return takeover.hasHappened() ? Figures.rounded(takeover.millis()) : null;
    }

    static double secondsSince(final long startedNs) {
        return (System.nanoTime() - startedNs) / 1e9;
    }

    /** Ends what it started; what the agents started ends with the lab. */
    @Override
    public void close() {
        if (load != null) {
            load.close();
        }
        hosts.close();
    }
}
