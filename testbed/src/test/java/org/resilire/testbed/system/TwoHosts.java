package org.resilire.testbed.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.LoadOptions;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadProgress;

/**
 * A lab with a booted guest, and the agents that come and go around it: one for all tests of a class, since a boot takes longer
 * than most of them. One thread.
 */
final class TwoHosts implements AutoCloseable {

    static final Duration PROTECTION_LIMIT = Duration.ofSeconds(60);
    static final Duration END_LIMIT = Duration.ofSeconds(20);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(45);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(50);

    private final Lab lab;
    private final GuestConfig config;
    private GuestProcess guest;
    private AgentProcess primary;
    private AgentProcess standby;
    private LoadProcess load;

    private TwoHosts(final Lab lab, final GuestConfig config) {
        this.lab = lab;
        this.config = config;
    }

    /** Two hosts and a small guest whose services answer. */
    static TwoHosts boot(final Class<?> test) {
        return boot(test.getSimpleName(), GuestConfig.small(GuestImage.fromEnvironment()));
    }

    /** The logs of all processes stay in {@code target/system-tests/NAME}. */
    static TwoHosts boot(final String name, final GuestConfig config) {
        final TwoHosts hosts = withoutGuest(name, config);
        try {
            hosts.bootGuest();
            return hosts;
        } catch (final RuntimeException failure) {
            hosts.close();
            throw failure;
        }
    }

    /** For a guest that starts after its agent, since that serves its disks: see {@link #bootGuest()}. */
    static TwoHosts withoutGuest(final String name, final GuestConfig config) {
        return new TwoHosts(Lab.create(emptyDirectory(Path.of("target", "system-tests", name))), config);
    }

    private static Path emptyDirectory(final Path directory) {
        try {
            if (Files.exists(directory)) {
                try (Stream<Path> old = Files.walk(directory)) {
                    for (final Path path : old.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(path);
                    }
                }
            }
            return Files.createDirectories(directory).toAbsolutePath();
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /**
     * Agents of a machine that other programs use too: half a second of silence is not a failure there. Where the time-out
     * itself is tested, it is said again.
     */
    static AgentOptions patient() {
        return AgentOptions.defaults().withDetectTimeout(Duration.ofMillis(500));
    }

    void bootGuest() {
        guest = GuestProcess.start(lab, config).awaitReady();
    }

    /** An agent for the guest on host A, instead of the one that may be there. */
    AgentProcess startPrimary(final AgentOptions options) {
        end(primary);
        primary = AgentProcess.protect(lab, options).awaitStarted();
        return primary;
    }

    /** An agent on host B, instead of the one that may be there. */
    AgentProcess startStandby(final TakeoverMode takeover, final AgentOptions options) {
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

    /** Both agents run and say that host B could take over now. */
    void awaitProtected() {
        await(this::isProtected, PROTECTION_LIMIT, "the guest to be protected", true);
    }

    boolean isProtected() {
        return isAlive(primary)
                && isAlive(standby)
                && primary.state() == AgentState.PROTECTED
                && standby.state() == AgentState.STANDBY_READY;
    }

    private static boolean isAlive(final AgentProcess agent) {
        return agent != null && agent.process().isAlive();
    }

    /** Waits until so many more epochs are safe on host B. */
    void awaitEpochs(final long count, final Duration limit) {
        final long before = Math.max(0, primary.counter(AgentCounter.EPOCHS_TOTAL));
        await(
                () -> primary.counter(AgentCounter.EPOCHS_TOTAL) >= before + count,
                limit,
                count + " more epochs after the first " + before,
                true);
    }

    /**
     * Waits for a condition and says how the agents are if it does not come.
     *
     * @param needsAgents fail at once when an agent has ended
     */
    void await(final BooleanSupplier condition, final Duration limit, final String awaited, final boolean needsAgents) {
        Await.until(
                () -> condition.getAsBoolean() || (needsAgents && !(isAlive(primary) && isAlive(standby))),
                limit,
                () -> "waited " + limit.toSeconds() + " s for " + awaited + describe());
        if (!condition.getAsBoolean() && needsAgents && !(isAlive(primary) && isAlive(standby))) {
            throw new TestbedException("an agent ended while waiting for " + awaited + describe());
        }
    }

    /** The states and last words of everybody, for the message of an assertion. */
    String describe() {
        final StringBuilder text = new StringBuilder();
        text.append("\nguest: ")
                .append(guest == null ? "not started" : guest.process().isAlive() ? "runs" : "has ended");
        agents().forEach(agent -> text.append(agent.described()));
        return text.toString();
    }

    private List<AgentProcess> agents() {
        final List<AgentProcess> agents = new ArrayList<>();
        if (primary != null) {
            agents.add(primary);
        }
        if (standby != null) {
            agents.add(standby);
        }
        return agents;
    }

    /** Compares all memory, now. */
    CommandRun verify() {
        return resilireOnA("verify");
    }

    /** Runs a command about the guest on host A. */
    CommandRun resilireOnA(final String command, final String... options) {
        final List<String> arguments = new ArrayList<>(List.of(
                command,
                "--vm",
                lab.vmName(),
                "--run-dir",
                lab.hostA().agentRunBase().toString()));
        arguments.addAll(List.of(options));
        return CommandRun.in(lab.hostA().namespace(), arguments);
    }

    /** Clients of the guest, which must be reachable: an agent is its way to the network. */
    LoadProcess startLoad() {
        return startLoad(LoadOptions.defaults());
    }

    LoadProcess startLoad(final LoadOptions options) {
        if (load != null) {
            load.close();
        }
        load = LoadProcess.start(lab, options);
        return load;
    }

    LoadProcess load() {
        return load;
    }

    /** Waits until every connection of the load was answered after that instant; none may have broken. */
    void awaitAnswersSince(final long instantNs) {
        final LoadProgress[] last = new LoadProgress[1];
        Await.until(
                () -> {
                    last[0] = load.progress();
                    return last[0].brokenConnections() > 0 || last[0].oldestAcknowledgedNs() - instantNs > 0;
                },
                SERVICE_LIMIT,
                PROGRESS_INTERVAL,
                () -> "waited " + SERVICE_LIMIT.toSeconds() + " s for answers on every connection; " + last[0]
                        + describe());
        if (last[0].brokenConnections() > 0) {
            throw new TestbedException("connections broke: " + last[0] + describe());
        }
    }

    Lab lab() {
        return lab;
    }

    GuestConfig config() {
        return config;
    }

    GuestProcess guest() {
        return guest;
    }

    AgentProcess primary() {
        return primary;
    }

    AgentProcess standby() {
        return standby;
    }

    @Override
    public void close() {
        lab.close();
    }
}
