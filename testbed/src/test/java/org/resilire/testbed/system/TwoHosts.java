package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.HostPair;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.Takeover;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadOptions;
import org.resilire.testbed.load.LoadProcess;
import org.resilire.testbed.load.LoadProgress;
import org.resilire.testbed.load.LoadResult;

/**
 * A lab with a booted guest, and the agents that come and go around it: one for all tests of a class, since a boot takes longer
 * than most of them. One thread.
 */
final class TwoHosts implements AutoCloseable {

    static final Duration PROTECTION_LIMIT = Duration.ofSeconds(60);
    static final Duration END_LIMIT = Duration.ofSeconds(20);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(45);
    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(60);

    private final Lab lab;
    private final GuestConfig config;
    private final HostPair hosts;
    private LoadProcess load;
    private long protectedNs;

    private TwoHosts(final Lab lab, final GuestConfig config) {
        this.lab = lab;
        this.config = config;
        hosts = new HostPair(lab, config);
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
     * Agents of a machine that other programs use too: a thread that stands still there for a second has not failed. Where the
     * time-out itself is tested, it is said again.
     */
    static AgentOptions patient() {
        return AgentOptions.defaults().withDetectTimeout(Duration.ofMillis(1_500));
    }

    void bootGuest() {
        hosts.bootGuest();
    }

    /** An agent for the guest on host A, instead of the one that may be there. */
    AgentProcess startPrimary(final AgentOptions options) {
        return hosts.startPrimary(options);
    }

    /** An agent on host B, instead of the one that may be there. */
    AgentProcess startStandby(final TakeoverMode takeover, final AgentOptions options) {
        return hosts.startStandby(takeover, options);
    }

    /** Agents on both hosts for a guest that runs; waits until they protect it. */
    void protect(final TakeoverMode takeover, final AgentOptions options) {
        startStandby(takeover, options);
        startPrimary(options);
        awaitProtected();
    }

    /** Both agents run and say that host B could take over now. */
    void awaitProtected() {
        hosts.awaitProtected(PROTECTION_LIMIT);
        protectedNs = System.nanoTime();
    }

    boolean isProtected() {
        return hosts.isProtected();
    }

    /** Waits until so many more epochs are safe on host B. */
    void awaitEpochs(final long count, final Duration limit) {
        final long before = Math.max(0, primary().counter(AgentCounter.EPOCHS_TOTAL));
        await(
                () -> primary().counter(AgentCounter.EPOCHS_TOTAL) >= before + count,
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
                () -> condition.getAsBoolean() || (needsAgents && !hosts.hasAgents()),
                limit,
                () -> "waited " + limit.toSeconds() + " s for " + awaited + describe());
        if (!condition.getAsBoolean() && needsAgents && !hosts.hasAgents()) {
            throw new TestbedException("an agent ended while waiting for " + awaited + describe());
        }
    }

    /** The states and last words of everybody, for the message of an assertion. */
    String describe() {
        final String state = guest() == null ? "not started" : guest().process().isAlive() ? "runs" : "has ended";
        return "\nguest: " + state + hosts.describedAgents();
    }

    /** Compares all memory, now. */
    CommandRun verify() {
        return resilireOnA("verify");
    }

    /** Runs a command about the guest on host A; its words between blanks. */
    CommandRun resilireOnA(final String command) {
        return CommandRun.about(lab, lab.hostA(), command.split(" "));
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
        final LoadProgress last;
        try {
            last = load.awaitAnswersSince(instantNs, SERVICE_LIMIT);
        } catch (final TestbedException noAnswers) {
            throw new TestbedException(noAnswers.getMessage() + "; " + load.progress() + describe(), noAnswers);
        }
        if (last.brokenConnections() > 0) {
            throw new TestbedException("connections broke: " + last + describe());
        }
    }

    /** Host A dies as a whole; returns when host B runs the guest. */
    Takeover killHostA() {
        return awaitTakeover(hosts.killHostA(true));
    }

    /** Waits until host B runs the guest, and watches it from an instant at which it did not take over yet. */
    Takeover awaitTakeover(final long sinceNs) {
        final Takeover takeover = Takeover.await(standby(), sinceNs, TAKEOVER_LIMIT);
        if (!takeover.hasHappened()) {
            throw new TestbedException(
                    "host B did not take over within " + TAKEOVER_LIMIT.toSeconds() + " s" + describe());
        }
        return takeover;
    }

    /** Waits for answers from host B on every connection, ends the load, and finds all true that its clients were told. */
    LoadResult requireNothingLost(final Takeover takeover) {
        awaitAnswersSince(takeover.stoodByNs());
        return assertWhole(load.finish(FailoverTimes.between(protectedNs, takeover)));
    }

    /** The same where no host died. */
    LoadResult requireNothingLost() {
        awaitAnswersSince(System.nanoTime());
        return assertWhole(load.finish(null));
    }

    private LoadResult assertWhole(final LoadResult result) {
        assertEquals(0, result.lostOperations(), () -> result + describe());
        assertEquals(0, result.rewinds(), () -> result + describe());
        assertEquals(result.connections(), result.connectionsSurvived(), () -> result + describe());
        assertEquals(List.of(), result.complaints(), () -> result + describe());
        return result;
    }

    Lab lab() {
        return lab;
    }

    GuestConfig config() {
        return config;
    }

    GuestProcess guest() {
        return hosts.guest();
    }

    AgentProcess primary() {
        return hosts.primary();
    }

    AgentProcess standby() {
        return hosts.standby();
    }

    @Override
    public void close() {
        lab.close();
    }
}
