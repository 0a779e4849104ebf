package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.resilire.control.AgentRole;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;

/**
 * Two hosts of a lab whose agents change roles: which of them runs the guest, and how that goes on. Both agents are started as an
 * operator would who wants the hosts to change roles as often as they fail. One thread.
 */
public final class ChangingHosts {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration INTERVAL = Duration.ofMillis(1);

    private static final Set<AgentState> GUEST_RUNS =
            EnumSet.of(AgentState.CONNECTING, AgentState.SYNCHRONISING, AgentState.PROTECTED, AgentState.UNPROTECTED);

    private final Lab lab;
    private final GuestConfig guest;
    private final AgentOptions agents;
    private LabHost active;
    /** Of the host that runs the guest, and of the other one. */
    private AgentProcess activeAgent;

    private AgentProcess otherAgent;

    public ChangingHosts(final Lab lab, final GuestConfig guest, final AgentOptions agents) {
        this.lab = lab;
        this.guest = guest;
        this.agents = agents;
        this.active = lab.hostA();
    }

    /**
     * Protects the guest on host A.
     *
     * @param boot boots it: before its agent, unless that serves its disks
     */
    public void protect(final Runnable boot) {
        offerStandby();
        if (guest.disks().isEmpty()) {
            boot.run();
            startActiveAgent();
        } else {
            startActiveAgent();
            activeAgent.awaitServing();
            boot.run();
        }
        awaitProtected();
    }

    private void startActiveAgent() {
        activeAgent = AgentProcess.protect(lab, active, guest, agents).awaitStarted();
    }

    /** What an operator does on a host that was repaired. */
    public void offerStandby() {
        otherAgent =
                AgentProcess.standby(lab, lab.peerOf(active), guest, agents).awaitStarted();
    }

    /** Waits until the other host could take over. */
    public void awaitProtected() {
        await(
                () -> primary().state() == AgentState.PROTECTED && backup().state() == AgentState.STANDBY_READY,
                "the guest to be protected by host " + active.label());
    }

    /**
     * The host that runs the guest dies; returns when the other runs it.
     *
     * @return the agent that has taken over, with what it counted as the backup that it was
     */
    public AgentProcess killActiveHost() {
        final AgentProcess backup = backup();
        lab.powerOff(active);
        awaitRolesChanged();
        return backup;
    }

    /** The other host has the guest: its agent is the primary now. */
    public void awaitRolesChanged() {
        await(
                () -> backup().state() == AgentState.ACTIVE
                        && GUEST_RUNS.contains(otherAgent.as(AgentRole.PRIMARY).state()),
                "host " + otherHost().label() + " to run the guest");
        active = otherHost();
        final AgentProcess successor = otherAgent;
        otherAgent = activeAgent;
        activeAgent = successor;
    }

    /** The agent of the host that runs the guest dies, and nothing else; another one is started there. */
    public void replaceActiveAgent() {
        activeAgent.process().kill();
        startActiveAgent();
    }

    /** Where the guest runs. */
    public LabHost activeHost() {
        return active;
    }

    /** Where its standby is, or will be. */
    public LabHost otherHost() {
        return lab.peerOf(active);
    }

    /** The agent that has the guest. Looked up anew: an agent that had the role before has left counters that are history. */
    public AgentProcess primary() {
        return activeAgent.as(AgentRole.PRIMARY);
    }

    /** The agent that has the standby, likewise. */
    public AgentProcess backup() {
        return otherAgent.as(AgentRole.BACKUP);
    }

    private void await(final BooleanSupplier condition, final String awaited) {
        Await.until(condition, LIMIT, INTERVAL, () -> "waited " + LIMIT.toSeconds() + " s for " + awaited + describe());
        if (!condition.getAsBoolean()) {
            throw new TestbedException("no longer so: " + awaited + describe());
        }
    }

    /** How both agents are, on lines of their own. */
    public String describe() {
        return (activeAgent == null ? "" : primary().described()) + (otherAgent == null ? "" : backup().described());
    }
}
