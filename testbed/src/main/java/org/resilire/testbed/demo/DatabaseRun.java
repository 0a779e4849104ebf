package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.HostPair;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.load.DatabaseCheck;
import org.resilire.testbed.load.LoadResult;

/** One guest with a database on a replicated disk, from its boot to the end of its life on a second host. One thread. */
final class DatabaseRun implements AutoCloseable {

    /** The guest's disk has this name. */
    static final String DISK = "data";

    private static final Duration UNPROTECTED = Duration.ofSeconds(5);

    /** How long pgbench goes on with the new host. */
    private static final Duration AFTERLIFE = Duration.ofSeconds(4);

    private final FailoverPlan plan;
    private final GuestPrograms programs;
    private final Narrator narrator;
    private final Demonstration demonstration;
    private final Lab lab;
    private final DatabaseCheck check;
    private double unprotectedTransactions;
    private Pgbench pgbench;
    private Pgbench.Outcome bench;
    private Double diskCopyMillis;

    /** @param programs what is on the guest's disk */
    DatabaseRun(final Lab lab, final FailoverPlan plan, final GuestPrograms programs, final Narrator narrator) {
        this.lab = lab;
        this.plan = plan;
        this.programs = programs;
        this.narrator = narrator;
        demonstration = new Demonstration(lab, plan, narrator);
        check = new DatabaseCheck(plan.agents().replaysInput());
    }

    DatabaseResult run() {
        boot();
        demonstration.startLoad(" and remember every COMMIT that was answered");
        measureUnprotected();
        demonstration.protect("Host B stands by; disk and memory are copied");
        startPgbench();
        demonstration.runProtected();
        demonstration.killHostA();
        return result(demonstration.takeover().hasHappened() ? liveOn() : null);
    }

    /** The agent first: it serves the disk. */
    private void boot() {
        final HostPair hosts = demonstration.hosts();
        LabDisk.createCopy(lab, DISK, programs.disk());
        hosts.startPrimary(plan.agents()).awaitServing();
        narrator.tell(
                "Host A boots a guest with PostgreSQL on a disk that its agent serves: %d MiB, %d vCPU",
                plan.guest().memoryMiB(), plan.guest().cpus());
        final long startedNs = System.nanoTime();
        hosts.bootGuest().awaitDiskReady();
        hosts.primary().awaitAttached();
        narrator.tell("  PostgreSQL answers after %.1f s", Demonstration.secondsSince(startedNs));
    }

    private void measureUnprotected() {
        narrator.tell("pgbench without a backup, %d s", UNPROTECTED.toSeconds());
        final Pgbench.Outcome unprotected =
                Pgbench.start(lab, programs, "pgbench-unprotected", UNPROTECTED).awaitEnd();
        if (!unprotected.complaint().isEmpty()) {
            throw new TestbedException(unprotected.complaint());
        }
        unprotectedTransactions = unprotected.transactionsPerSecond(0, Double.MAX_VALUE);
        narrator.tell("  %.0f transactions/s", unprotectedTransactions);
    }

    /** Through the death of host A. */
    private void startPgbench() {
        pgbench = Pgbench.start(
                lab,
                programs,
                "pgbench",
                plan.protectedFor().plus(Demonstration.DEATH_SPREAD).plus(AFTERLIFE));
    }

    private LoadResult liveOn() {
        final Path copy = copyDisk();
        demonstration.awaitService();
        bench = pgbench.awaitEnd();
        if (!bench.complaint().isEmpty()) {
            demonstration.complain(bench.complaint());
        }
        final LoadResult clients = demonstration.finishLoad();
        narrator.tell("Checking the disk taken at the failover, and the database that its own server recovers from it");
        check.run(lab, copy, plan.load().connections(), demonstration.takeover().killedNs());
        check.complaints().forEach(demonstration::complain);
        return clients;
    }

    /** As it is when the guest has just begun to run there. */
    private Path copyDisk() {
        final Path copy = lab.hostB().diskDirectory().resolve("at-failover.img");
        final long startedNs = System.nanoTime();
        StandbyQemu.whileStopped(lab, () -> LabDisk.copy(lab.hostB().diskImage(DISK), copy));
        diskCopyMillis = Figures.rounded((System.nanoTime() - startedNs) / 1e6);
        narrator.tell("The disk of host B is copied while the guest is stopped for %s", Figures.millis(diskCopyMillis));
        return copy;
    }

    private DatabaseResult result(final LoadResult loadResult) {
        final AgentFigures figures = demonstration.figures();
        final ClientFigures clients = ClientFigures.of(loadResult);
        final AgentProcess standby = demonstration.hosts().standby();
        final double protectedSeconds = epochSeconds(demonstration.protectedNs());
        final double killedSeconds = epochSeconds(demonstration.takeover().killedNs());
        // The first second after the outage belongs to both.
        final double afterSeconds =
                killedSeconds + 1 + (clients.downtimeMillisWorst() == null ? 0 : clients.downtimeMillisWorst() / 1e3);
        return new DatabaseResult(
                plan.seed(),
                figures.epochs(),
                clients.acknowledged(),
                check.acknowledged(),
                clients.lost(),
                check.lost(),
                clients.rewinds() == null ? null : Long.valueOf(clients.rewinds() + check.rewinds()),
                clients.connections(),
                clients.connectionsSurvived(),
                AgentFigures.millis(standby, AgentCounter.DETECT_NANOS_LAST),
                AgentFigures.millis(standby, AgentCounter.RESUME_NANOS_LAST),
                demonstration.takeoverMillis(),
                clients.downtimeMillisMedian(),
                clients.downtimeMillisWorst(),
                diskCopyMillis,
                figures.pauseMillisP50(),
                figures.commitMillisP50(),
                clients.unprotectedLatencyMillisP50(),
                clients.latencyMillisP50(),
                clients.latencyMillisP99(),
                known(unprotectedTransactions),
                transactions(protectedSeconds, killedSeconds),
                transactions(afterSeconds, Double.MAX_VALUE),
                Figures.rounded(demonstration.protectMillis()),
                check.fileSystem(),
                check.amcheck(),
                check.checksums(),
                plan.agents().period().toMillis(),
                plan.guest().memoryMiB(),
                demonstration.brokenPromises(loadResult));
    }

    private Double transactions(final double fromEpochSeconds, final double toEpochSeconds) {
        return bench == null ? null : known(bench.transactionsPerSecond(fromEpochSeconds, toEpochSeconds));
    }

    private static Double known(final double figure) {
        return Double.isNaN(figure) ? null : Figures.rounded(figure);
    }

    /** An instant of CLOCK_MONOTONIC as pgbench tells it. */
    private static double epochSeconds(final long instantNs) {
        return System.currentTimeMillis() / 1e3 - Demonstration.secondsSince(instantNs);
    }

    @Override
    public void close() {
        demonstration.close();
    }
}
