package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.DiskCheck;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.RecoveredDatabase;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.DatabaseSums;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.Ledger;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadProgress;
import org.resilire.testbed.load.LoadResult;

/** One guest with a database on a replicated disk, from its boot to the end of its life on a second host. One thread. */
final class DatabaseRun implements AutoCloseable {

    /** The guest's disk has this name. */
    static final String DISK = "data";

    private static final String SOUND = "clean";
    private static final Duration PROTECTION_LIMIT = Duration.ofMinutes(2);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(30);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(100);
    private static final Duration UNPROTECTED = Duration.ofSeconds(5);

    /** How long the clients go on with the new host. */
    private static final Duration AFTERLIFE = Duration.ofSeconds(4);

    /** Death comes within this time after the protected run, at an instant that nobody chose. */
    private static final Duration DEATH_SPREAD = Duration.ofSeconds(1);

    private final Lab lab;
    private final DatabasePlan plan;
    private final Narrator narrator;
    private final List<String> complaints = new ArrayList<>();

    private GuestProcess guest;
    private AgentProcess primary;
    private AgentProcess standby;
    private LoadProcess load;
    private Pgbench pgbench;
    private AgentFigures figures;
    private double unprotectedTransactions;
    private double protectMillis;
    private long protectedNs;
    private double protectedEpochSeconds;
    private long killedNs;
    private double killedEpochSeconds;
    private Takeover takeover;
    private Double diskCopyMillis;
    private String fileSystem;
    private String amcheck;
    private String checksums;
    private Long acknowledgedBeforeDeath;
    private Long lostOnDisk;
    private long rewindsOnDisk;

    DatabaseRun(final Lab lab, final DatabasePlan plan, final Narrator narrator) {
        this.lab = lab;
        this.plan = plan;
        this.narrator = narrator;
    }

    DatabaseResult run() {
        boot();
        startLoad();
        measureUnprotected();
        protect();
        runProtected();
        killHostA();
        awaitTakeover();
        LoadResult clients = null;
        Pgbench.Outcome bench = null;
        if (takeover.hasHappened()) {
            copyDisk();
            awaitService();
            bench = endPgbench();
            clients = finishLoad();
            checkDisk();
        }
        return result(clients, bench);
    }

    /** The agent first: it serves the disk. */
    private void boot() {
        LabDisk.createCopy(lab, DISK, plan.programs().disk());
        primary = AgentProcess.protect(lab, plan.agents()).awaitStarted().awaitServing();
        narrator.tell(
                "Host A boots a guest with PostgreSQL on a disk that its agent serves: %d MiB, %d vCPU",
                plan.guest().memoryMiB(), plan.guest().cpus());
        final long startedNs = System.nanoTime();
        guest = GuestProcess.start(lab, plan.guest()).awaitReady().awaitDiskReady();
        primary.awaitAttached();
        narrator.tell("  PostgreSQL answers after %.1f s", secondsSince(startedNs));
    }

    private void startLoad() {
        load = LoadProcess.start(lab, plan.load());
        narrator.tell(
                "%d clients are connected and remember every COMMIT that was answered",
                load.progress().connections());
    }

    private void measureUnprotected() {
        narrator.tell("pgbench without a backup, %d s", UNPROTECTED.toSeconds());
        final Pgbench.Outcome bench = Pgbench.start(lab, plan.programs(), "pgbench-unprotected", UNPROTECTED)
                .awaitEnd();
        if (!bench.complaint().isEmpty()) {
            throw new TestbedException(bench.complaint());
        }
        unprotectedTransactions = bench.transactionsPerSecond(0, Double.MAX_VALUE);
        narrator.tell("  %.0f transactions/s", unprotectedTransactions);
    }

    private void protect() {
        narrator.tell("Host B stands by; disk and memory are copied");
        final long startedNs = System.nanoTime();
        standby = AgentProcess.standby(lab, plan.guest(), TakeoverMode.AUTO, plan.agents())
                .awaitStarted();
        awaitProtection();
        StandbyQemu.find(lab);
        protectMillis = (System.nanoTime() - startedNs) / 1e6;
        narrator.tell("  protected after %.1f s", secondsSince(startedNs));
        protectedNs = System.nanoTime();
        protectedEpochSeconds = System.currentTimeMillis() / 1e3;
    }

    private void awaitProtection() {
        Await.until(
                () -> isProtected()
                        || !primary.process().isAlive()
                        || !standby.process().isAlive(),
                PROTECTION_LIMIT,
                () -> "the guest is not protected after " + PROTECTION_LIMIT.toSeconds() + " s: " + described());
        if (!isProtected()) {
            throw new TestbedException("an agent ended before the guest was protected: " + described());
        }
    }

    private boolean isProtected() {
        return primary.state() == AgentState.PROTECTED && standby.state() == AgentState.STANDBY_READY;
    }

    private String described() {
        return primary.described() + standby.described();
    }

    private void runProtected() {
        pgbench = Pgbench.start(
                lab,
                plan.programs(),
                "pgbench",
                plan.protectedFor().plus(DEATH_SPREAD).plus(AFTERLIFE));
        final ProtectedTime time = new ProtectedTime(primary, standby, load, narrator);
        // Memory alone is compared: a comparison pauses the guest, and the disk is looked at in the end.
        time.run(plan.protectedFor(), 1);
        complaints.addAll(time.complaints());
        figures = AgentFigures.of(primary);
    }

    private void killHostA() {
        final SplittableRandom random = new SplittableRandom(plan.seed());
        LockSupport.parkNanos(random.nextLong(DEATH_SPREAD.toNanos()));
        // Only a protected guest is promised to survive, and on a busy machine protection may just be lost.
        awaitProtection();
        final boolean isGuestFirst = random.nextBoolean();
        killedEpochSeconds = System.currentTimeMillis() / 1e3;
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
            complaints.add("host B did not take over: " + standby.described());
        }
    }

    private Double takeoverMillis() {
        return takeover.hasHappened() ? Figures.rounded((takeover.activeNs() - killedNs) / 1e6) : null;
    }

    private Path diskCopy() {
        return lab.hostB().diskDirectory().resolve("at-failover.img");
    }

    /** As it is when the guest has just begun to run here. */
    private void copyDisk() {
        final long startedNs = System.nanoTime();
        StandbyQemu.whileStopped(lab, () -> LabDisk.copy(lab.hostB().diskImage(DISK), diskCopy()));
        diskCopyMillis = Figures.rounded((System.nanoTime() - startedNs) / 1e6);
        narrator.tell("The disk of host B is copied while the guest is stopped for %s", Figures.millis(diskCopyMillis));
    }

    private void awaitService() {
        try {
            final LoadProgress[] last = new LoadProgress[1];
            Await.until(
                    () -> {
                        last[0] = load.progress();
                        return last[0].oldestAcknowledgedNs() - takeover.stoodByNs() > 0
                                || last[0].brokenConnections() == last[0].connections();
                    },
                    SERVICE_LIMIT,
                    PROGRESS_INTERVAL,
                    () -> "some connections got no answer within " + SERVICE_LIMIT.toSeconds() + " s: " + last[0]);
            narrator.tell("The clients' connections go on");
        } catch (final TestbedException noAnswers) {
            complaints.add(noAnswers.getMessage());
        }
    }

    private Pgbench.Outcome endPgbench() {
        final Pgbench.Outcome bench = pgbench.awaitEnd();
        if (!bench.complaint().isEmpty()) {
            complaints.add(bench.complaint());
        }
        return bench;
    }

    private LoadResult finishLoad() {
        narrator.tell("Comparing what was acknowledged with what the database has");
        try {
            final LoadResult clients = load.finish(new FailoverTimes(protectedNs, killedNs, takeover.stoodByNs()));
            complaints.addAll(clients.complaints());
            return clients;
        } catch (final TestbedException failure) {
            complaints.add("what the clients were told could not be compared: " + failure.getMessage());
            return null;
        }
    }

    private void checkDisk() {
        narrator.tell("Checking the disk taken at the failover, and the database that its own server recovers from it");
        fileSystem = DiskCheck.complaint(diskCopy()).orElse(SOUND);
        if (!fileSystem.equals(SOUND)) {
            complaints.add(fileSystem);
            return;
        }
        try (RecoveredDatabase database = RecoveredDatabase.start(
                lab, diskCopy(), lab.hostB().diskDirectory().resolve("recovered"))) {
            checkLedger(database);
            checkSums(database);
            amcheck = database.amcheckComplaint().orElse(SOUND);
            checksums = database.checksumComplaint().orElse(SOUND);
            for (final String verdict : List.of(amcheck, checksums)) {
                if (!verdict.equals(SOUND)) {
                    complaints.add(verdict);
                }
            }
        } catch (final TestbedException failure) {
            complaints.add("the database on the disk taken at the failover: " + failure.getMessage());
        }
    }

    /** All that was acknowledged before host A died must be there, for none of it was answered before its epoch was safe. */
    private void checkLedger(final RecoveredDatabase database) {
        final Map<Integer, Map<Long, String>> rows = new HashMap<>();
        database.query("SELECT connection, sequence, value FROM ledger").forEach(line -> {
            final String[] columns = line.split("\t", 3);
            rows.computeIfAbsent(Integer.valueOf(columns[0]), connection -> new HashMap<>())
                    .put(Long.valueOf(columns[1]), columns[2]);
        });
        final Map<Integer, Long> counters = new HashMap<>();
        database.query("SELECT connection, value FROM counters").forEach(line -> {
            final String[] columns = line.split("\t", 2);
            counters.put(Integer.valueOf(columns[0]), Long.valueOf(columns[1]));
        });
        acknowledgedBeforeDeath = 0L;
        lostOnDisk = 0L;
        for (int connection = 1; connection <= plan.load().connections(); connection++) {
            final Ledger ledger = Ledger.recorded(LoadProcess.records(lab), connection, killedNs);
            ledger.compare(rows.getOrDefault(connection, Map.of()));
            ledger.compareCounter(counters.getOrDefault(connection, 0L));
            acknowledgedBeforeDeath += ledger.acknowledged();
            lostOnDisk += ledger.lost();
            rewindsOnDisk += ledger.rewinds();
            ledger.complaints().forEach(complaint -> complaints.add("on the disk taken at the failover: " + complaint));
        }
    }

    private void checkSums(final RecoveredDatabase database) {
        final String[] sums = database.query(DatabaseSums.QUERY).getFirst().split("\t", 4);
        DatabaseSums.complaint(
                        Long.parseLong(sums[0]),
                        Long.parseLong(sums[1]),
                        Long.parseLong(sums[2]),
                        Long.parseLong(sums[3]))
                .ifPresent(complaint -> complaints.add("on the disk taken at the failover: " + complaint));
    }

    private DatabaseResult result(final LoadResult clients, final Pgbench.Outcome bench) {
        complaints.addAll(Promises.broken(figures, clients));
        // The first and the last second of a phase belong to two of them.
        final double afterEpochSeconds = killedEpochSeconds
                + 1
                + (clients == null || clients.downtimeMillisWorst() == null ? 0 : clients.downtimeMillisWorst() / 1e3);
        return new DatabaseResult(
                plan.seed(),
                figures.epochs(),
                clients == null ? null : Long.valueOf(clients.acknowledgedOperations()),
                acknowledgedBeforeDeath,
                clients == null ? null : Long.valueOf(clients.lostOperations()),
                lostOnDisk,
                clients == null ? null : Long.valueOf(clients.rewinds() + rewindsOnDisk),
                clients == null ? null : Integer.valueOf(clients.connections()),
                clients == null ? null : Integer.valueOf(clients.connectionsSurvived()),
                AgentFigures.millis(standby, AgentCounter.DETECT_NANOS_LAST),
                AgentFigures.millis(standby, AgentCounter.RESUME_NANOS_LAST),
                takeoverMillis(),
                clients == null ? null : Figures.rounded(clients.downtimeMillisMedian()),
                clients == null ? null : Figures.rounded(clients.downtimeMillisWorst()),
                diskCopyMillis,
                figures.pauseMillisP50(),
                figures.commitMillisP50(),
                clients == null ? null : Figures.rounded(clients.unprotectedLatencyMillisP50()),
                clients == null ? null : Figures.rounded(clients.latencyMillisP50()),
                clients == null ? null : Figures.rounded(clients.latencyMillisP99()),
                known(unprotectedTransactions),
                bench == null ? null : known(bench.transactionsPerSecond(protectedEpochSeconds, killedEpochSeconds)),
                bench == null ? null : known(bench.transactionsPerSecond(afterEpochSeconds, Double.MAX_VALUE)),
                Figures.rounded(protectMillis),
                fileSystem,
                amcheck,
                checksums,
                plan.agents().period().toMillis(),
                plan.guest().memoryMiB(),
                List.copyOf(complaints));
    }

    private static Double known(final double figure) {
        return Double.isNaN(figure) ? null : Figures.rounded(figure);
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
