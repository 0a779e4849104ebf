package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.LabProcess;
import tools.jackson.databind.JsonNode;

/** A pair of agents over a guest, from their start to their end in good order. One thread. */
final class Protection implements AutoCloseable {

    private static final Duration PROTECTION_LIMIT = Duration.ofMinutes(2);
    private static final Duration END_LIMIT = Duration.ofSeconds(20);
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(2);

    private final Subject subject;
    private final AgentProcess primary;
    private AgentProcess standby;
    private final Map<String, Double> beginning = new LinkedHashMap<>();

    private Protection(final Subject subject, final AgentProcess primary) {
        this.subject = subject;
        this.primary = primary;
    }

    /** Attaches an agent to the guest, whose frames then pass through it; protects nothing yet. */
    static Protection attach(final Subject subject, final List<String> modeOptions, final Duration period) {
        return new Protection(
                subject, subject.protect(modeOptions, period).awaitStarted().awaitAttached());
    }

    /** Starts the standby and waits until the guest is protected. */
    void protect() {
        standby = subject.standby().awaitStarted();
        final long startedNs = System.nanoTime();
        // The instant at which the standby is first heard, whatever it took to start it.
        Await.until(
                () -> primary.state() == AgentState.SYNCHRONISING || isOver(),
                PROTECTION_LIMIT,
                LOOK_INTERVAL,
                () -> "the agents did not find each other: " + described());
        final long synchronisingNs = System.nanoTime();
        awaitProtected();
        beginning.put("synchronisationMillis", (System.nanoTime() - synchronisingNs) / 1e6);
        beginning.put("standbyStartMillis", (synchronisingNs - startedNs) / 1e6);
        beginning.put("synchronisationBytes", (double) primary.counter(AgentCounter.WIRE_BYTES_TOTAL));
    }

    private void awaitProtected() {
        Await.until(
                this::isOver,
                PROTECTION_LIMIT,
                LOOK_INTERVAL,
                () -> "the guest is not protected after " + PROTECTION_LIMIT.toSeconds() + " s: " + described());
        if (!isProtected()) {
            throw new TestbedException("an agent ended before the guest was protected: " + described());
        }
    }

    private boolean isOver() {
        return isProtected()
                || !primary.process().isAlive()
                || !standby.process().isAlive();
    }

    private boolean isProtected() {
        return primary.state() == AgentState.PROTECTED;
    }

    private String described() {
        return primary.described() + standby.described();
    }

    /** Takes note of the checkpoints since {@link #protect()}: the agent's first, with code that may never have run before. */
    void noteFirstCheckpoints() {
        final JsonNode pauses = primary.command("sample").path("pauseNanos");
        beginning.put("firstCheckpoints", pauses.path("count").asDouble());
        beginning.put("firstPausesMillisP50", pauses.path("p50").asDouble() / 1e6);
        beginning.put("firstPausesMillisMax", pauses.path("max").asDouble() / 1e6);
    }

    /** What it took to begin: time and bytes of the initial synchronisation, and the first pauses if they were noted. */
    Map<String, Double> beginning() {
        return beginning;
    }

    /**
     * Looks at everything that the protection costs and gives.
     *
     * @param more probes of the guest and its clients
     */
    List<Probe> probes(final List<Probe> more) {
        final List<Probe> probes = new ArrayList<>(List.of(
                Probes.agent(primary),
                Probes.cpu("primary", primary.process()),
                Probes.cpu("standby", standby.process()),
                Probes.cpu("guest", subject.process())));
        probes.addAll(more);
        return probes;
    }

    /** Both, once {@link #protect()} has returned. */
    List<LabProcess> agents() {
        return List.of(primary.process(), standby.process());
    }

    /** The guest goes on unprotected until {@link #resume()}; both agents stay. */
    void pause() {
        primary.command("pause");
    }

    /** Protects it again, as {@link #protect()} did. */
    void resume() {
        primary.command("resume");
        awaitProtected();
    }

    /** Compares the two memories; returns how many pages differ. */
    double verify() {
        final JsonNode answer = primary.command("verify");
        if (answer.path("comparedPages").asLong(0) == 0) {
            throw new TestbedException("a comparison of the memories compared nothing: " + answer);
        }
        return answer.path("differingPages").asDouble();
    }

    /** The guest goes on unprotected, and the standby is gone. */
    @Override
    public void close() {
        try {
            end(primary);
        } finally {
            if (standby != null) {
                end(standby);
            }
        }
    }

    private static void end(final AgentProcess agent) {
        try {
            if (agent.process().isAlive()) {
                agent.process().terminate();
                agent.process().awaitEnd(END_LIMIT);
            }
        } finally {
            agent.close();
        }
    }
}
