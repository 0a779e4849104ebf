package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.ChangingHosts;
import org.resilire.testbed.lab.DiskCheck;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.load.LoadOptions;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadProgress;
import org.resilire.testbed.load.LoadResult;
import tools.jackson.databind.node.ObjectNode;

/** One guest and its clients through many changes of roles. One thread. */
final class RolesRun implements AutoCloseable {

    /** The guest's disk has this name, if it has one. */
    static final String DISK = "d0";

    private static final long DISK_BYTES = 512L << 20;
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(45);
    private static final String CLEAN = "clean";

    private final Lab lab;
    private final RolesPlan plan;
    private final Narrator narrator;
    private final ChangingHosts hosts;
    private final SplittableRandom random;
    private final List<RoleChange> changes = new ArrayList<>();
    private GuestProcess guest;
    private LoadProcess load;

    RolesRun(final Lab lab, final RolesPlan plan, final Narrator narrator) {
        this.lab = lab;
        this.plan = plan;
        this.narrator = narrator;
        hosts = new ChangingHosts(lab, plan.guest(), plan.agents());
        random = new SplittableRandom(plan.seed());
    }

    RolesResult run() {
        if (hasDisk()) {
            LabDisk.createExt4(lab, DISK, DISK_BYTES);
        }
        hosts.protect(() -> guest = GuestProcess.start(lab, plan.guest()).awaitReady());
        narrator.say("Host A runs the guest, host B protects it; %d changes, seed %d", plan.changes(), plan.seed());
        load = LoadProcess.start(lab, LoadOptions.defaults());
        awaitAnswersSince(System.nanoTime());
        for (int number = 1; number <= plan.changes(); number++) {
            // At an instant that nobody chose.
            LockSupport.parkNanos(
                    plan.between().toNanos() + random.nextLong(plan.between().toNanos() + 1));
            final RoleChange change = plan.isPlanned() ? move(number) : kill(number);
            changes.add(change);
            tell(change);
        }
        return finish();
    }

    private boolean hasDisk() {
        return !plan.guest().disks().isEmpty();
    }

    private RoleChange kill(final int number) {
        final String from = hosts.activeHost().label();
        final long startedNs = System.nanoTime();
        final AgentProcess successor = hosts.killActiveHost();
        final Double detectMillis = AgentFigures.millis(successor, AgentCounter.DETECT_NANOS_LAST);
        final Double resumeMillis = AgentFigures.millis(successor, AgentCounter.RESUME_NANOS_LAST);
        awaitAnswersSince(System.nanoTime());
        final Double serviceMillis = millisSince(startedNs);
        final long offeredNs = System.nanoTime();
        hosts.offerStandby();
        hosts.awaitProtected();
        return new RoleChange(
                number, from, false, detectMillis, resumeMillis, null, null, serviceMillis, millisSince(offeredNs));
    }

    private RoleChange move(final int number) {
        final String from = hosts.activeHost().label();
        final long startedNs = System.nanoTime();
        final ObjectNode answer = hosts.primary().command("switchover");
        hosts.awaitRolesChanged();
        final long movedNs = System.nanoTime();
        awaitAnswersSince(movedNs);
        final Double serviceMillis = millisSince(startedNs);
        hosts.awaitProtected();
        return new RoleChange(
                number,
                from,
                true,
                null,
                null,
                Figures.rounded(answer.path("pauseMillis").asDouble()),
                Figures.rounded(answer.path("totalMillis").asDouble()),
                serviceMillis,
                millisSince(movedNs));
    }

    private static Double millisSince(final long startedNs) {
        return Figures.rounded((System.nanoTime() - startedNs) / 1e6);
    }

    private void tell(final RoleChange change) {
        if (change.isPlanned()) {
            narrator.say(
                    "change %d  %s moves its guest    stood still %s, switchover %s, all clients answered after %s, protected after %s",
                    change.number(),
                    change.from(),
                    Figures.millis(change.pauseMillis()),
                    Figures.millis(change.switchoverMillis()),
                    Figures.millis(change.serviceMillis()),
                    Figures.millis(change.healMillis()));
        } else {
            narrator.say(
                    "change %d  %s dies    detect %s, resume %s, all clients answered after %s, protected again after %s",
                    change.number(),
                    change.from(),
                    Figures.millis(change.detectMillis()),
                    Figures.millis(change.resumeMillis()),
                    Figures.millis(change.serviceMillis()),
                    Figures.millis(change.healMillis()));
        }
    }

    private void awaitAnswersSince(final long instantNs) {
        final LoadProgress last = load.awaitAnswersSince(instantNs, SERVICE_LIMIT);
        if (last.brokenConnections() > 0) {
            throw new TestbedException("connections broke: " + last + hosts.describe());
        }
    }

    private RolesResult finish() {
        final LoadResult clients = load.finish(null);
        final List<String> broken = new ArrayList<>(clients.complaints());
        broken.addAll(Promises.broken(clients));
        String fileSystem = null;
        if (hasDisk()) {
            fileSystem = fileSystem();
            if (!fileSystem.equals(CLEAN)) {
                broken.add(fileSystem);
            }
        }
        return RolesResult.of(changes, clients, fileSystem, broken);
    }

    /** Of the disk as a loss of power would leave it. */
    private String fileSystem() {
        lab.powerOff(hosts.activeHost());
        final Path copy = hosts.activeHost().diskDirectory().resolve("copy");
        LabDisk.copy(hosts.activeHost().diskImage(DISK), copy);
        return DiskCheck.complaint(copy).orElse(CLEAN);
    }

    /** What the agents started ends with the lab. */
    @Override
    public void close() {
        if (load != null) {
            load.close();
        }
        if (guest != null) {
            guest.close();
        }
    }
}
