package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;

/**
 * Host A with a guest and its agent, host B with the agent of its standby. All of them come one after the other, and agents may be
 * replaced. What the agents start ends with the lab. One thread.
 */
public final class HostPair implements AutoCloseable {

    private static final Duration END_LIMIT = Duration.ofSeconds(20);

    private final Lab lab;
    private final GuestConfig config;
    private GuestProcess guest;
    private AgentProcess primary;
    private AgentProcess standby;

    /** Two hosts on which nothing runs yet. */
    public HostPair(final Lab lab, final GuestConfig config) {
        this.lab = lab;
        this.config = config;
    }

    /** Boots the guest on host A and waits until its services answer. A guest with disks needs its agent first, which serves them. */
    public GuestProcess bootGuest() {
        guest = GuestProcess.start(lab, config).awaitReady();
        return guest;
    }

    /** An agent for the guest on host A, instead of the one that may be there. */
    public AgentProcess startPrimary(final AgentOptions options) {
        end(primary);
        primary = AgentProcess.protect(lab, options).awaitStarted();
        return primary;
    }

    /** An agent on host B, instead of the one that may be there. */
    public AgentProcess startStandby(final TakeoverMode takeover, final AgentOptions options) {
        end(standby);
        standby = AgentProcess.standby(lab, config, takeover, options).awaitStarted();
        return standby;
    }

    private static void end(final AgentProcess agent) {
        if (agent != null && agent.process().isAlive()) {
            agent.process().terminate();
            agent.process().awaitEnd(END_LIMIT);
        }
    }

    /** Whether both agents run. */
    public boolean hasAgents() {
        return isAlive(primary) && isAlive(standby);
    }

    private static boolean isAlive(final AgentProcess agent) {
        return agent != null && agent.process().isAlive();
    }

    /** Whether both agents run and say that host B could take over now. */
    public boolean isProtected() {
        return hasAgents() && primary.state() == AgentState.PROTECTED && standby.state() == AgentState.STANDBY_READY;
    }

    /** Waits until both agents say that host B could take over now. */
    public void awaitProtected(final Duration limit) {
        awaitProtected(limit, () -> {});
    }

    /**
     * The same.
     *
     * @param meanwhile done whenever it was looked in vain
     */
    public void awaitProtected(final Duration limit, final Runnable meanwhile) {
        Await.until(
                () -> {
                    if (isProtected()) {
                        return true;
                    }
                    meanwhile.run();
                    return !hasAgents();
                },
                limit,
                () -> "the guest is not protected after " + limit.toSeconds() + " s: " + describedAgents());
        if (!hasAgents()) {
            throw new TestbedException("an agent ended before the guest was protected: " + describedAgents());
        }
    }

    /** The states and last words of the agents that were started. */
    public String describedAgents() {
        return Stream.of(primary, standby)
                .filter(agent -> agent != null)
                .map(AgentProcess::described)
                .collect(Collectors.joining());
    }

    /**
     * Host A dies as a whole: QEMU and agent are killed.
     *
     * @param isGuestFirst which of them is killed first
     * @return just before
     */
    public long killHostA(final boolean isGuestFirst) {
        final LabProcess first = isGuestFirst ? guest.process() : primary.process();
        final LabProcess second = isGuestFirst ? primary.process() : guest.process();
        final long killedNs = System.nanoTime();
        first.kill();
        second.kill();
        return killedNs;
    }

    /** The guest on host A; null before it was booted. */
    public GuestProcess guest() {
        return guest;
    }

    /** The agent on host A; null before it was started. */
    public AgentProcess primary() {
        return primary;
    }

    /** The agent on host B; null before it was started. */
    public AgentProcess standby() {
        return standby;
    }

    /** Ends what it started. */
    @Override
    public void close() {
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
