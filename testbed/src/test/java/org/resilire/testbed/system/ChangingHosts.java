package org.resilire.testbed.system;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.resilire.control.AgentRole;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabHost;

/** Two hosts whose agents change roles: which of them runs the guest, and how that goes on. One thread. */
final class ChangingHosts {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Set<AgentState> GUEST_RUNS =
            EnumSet.of(AgentState.CONNECTING, AgentState.SYNCHRONISING, AgentState.PROTECTED, AgentState.UNPROTECTED);

    private final TwoHosts hosts;
    private final Lab lab;
    private LabHost active;
    /** Of the host that runs the guest, and of the other one. */
    private AgentProcess activeAgent;

    private AgentProcess otherAgent;

    ChangingHosts(final TwoHosts hosts) {
        this.hosts = hosts;
        this.lab = hosts.lab();
        this.active = lab.hostA();
    }

    /** Protects the guest on host A. */
    void protect() {
        offerStandby();
        activeAgent = AgentProcess.protect(lab, active, hosts.config(), TwoHosts.patient())
                .awaitStarted();
        awaitProtected();
    }

    /** What an operator does on a host that was repaired. */
    void offerStandby() {
        otherAgent = AgentProcess.standby(lab, lab.peerOf(active), hosts.config(), TwoHosts.patient())
                .awaitStarted();
    }

    void awaitProtected() {
        await(
                () -> primary().state() == AgentState.PROTECTED && backup().state() == AgentState.STANDBY_READY,
                "the guest to be protected by host " + active.label());
    }

    /** The host that runs the guest dies; returns when the other runs it and has become its primary. */
    void killActiveHost() {
        lab.powerOff(active);
        awaitRolesChanged();
    }

    /** The other host has the guest: its agent is the primary now. */
    void awaitRolesChanged() {
        await(
                () -> backup().state() == AgentState.ACTIVE
                        && GUEST_RUNS.contains(otherAgent.as(AgentRole.PRIMARY).state()),
                "host " + lab.peerOf(active).label() + " to run the guest");
        active = lab.peerOf(active);
        final AgentProcess successor = otherAgent;
        otherAgent = activeAgent;
        activeAgent = successor;
    }

    /** The agent of the host that runs the guest dies, and nothing else; another one is started there. */
    void replaceActiveAgent() {
        activeAgent.process().kill();
        activeAgent = AgentProcess.protect(lab, active, hosts.config(), TwoHosts.patient())
                .awaitStarted();
    }

    /** Runs a command of an operator's on the host that runs the guest. */
    CommandRun onActiveHost(final String... command) {
        return CommandRun.about(lab, active, command);
    }

    /** Runs a command of an operator's on the host that keeps the standby. */
    CommandRun onOtherHost(final String... command) {
        return CommandRun.about(lab, lab.peerOf(active), command);
    }

    /** The agent that has the guest. Looked up anew: an agent that had the role before has left counters that are history. */
    AgentProcess primary() {
        return activeAgent.as(AgentRole.PRIMARY);
    }

    /** The agent that has the standby, likewise. */
    AgentProcess backup() {
        return otherAgent.as(AgentRole.BACKUP);
    }

    private void await(final BooleanSupplier condition, final String awaited) {
        Await.until(condition, LIMIT, () -> "waited " + LIMIT.toSeconds() + " s for " + awaited + describe());
        if (!condition.getAsBoolean()) {
            throw new TestbedException("no longer so: " + awaited + describe());
        }
    }

    String describe() {
        return (activeAgent == null ? "" : primary().described()) + (otherAgent == null ? "" : backup().described());
    }
}
