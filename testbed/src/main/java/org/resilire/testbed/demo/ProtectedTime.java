package org.resilire.testbed.demo;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.load.LoadProcess;
import tools.jackson.databind.JsonNode;

/** The time in which the guest is protected: live figures each second, and comparisons of the two memories. */
final class ProtectedTime {

    private static final Duration LIVE_INTERVAL = Duration.ofSeconds(1);

    private final AgentProcess primary;
    private final AgentProcess standby;
    private final LoadProcess load;
    private final Narrator narrator;
    private final List<String> complaints = new ArrayList<>();

    ProtectedTime(
            final AgentProcess primary, final AgentProcess standby, final LoadProcess load, final Narrator narrator) {
        this.primary = primary;
        this.standby = standby;
        this.load = load;
        this.narrator = narrator;
    }

    void run(final Duration length, final int verifications) {
        final long startedNs = System.nanoTime();
        final long seconds = Math.max(1, length.toSeconds());
        long operationsBefore = load.progress().acknowledgedOperations();
        long verified = 0;
        for (long second = 1; second <= seconds; second++) {
            awaitUntil(startedNs + second * LIVE_INTERVAL.toNanos());
            final long operations = load.progress().acknowledgedOperations();
            show(second, operations - operationsBefore);
            operationsBefore = operations;
            // Spread over the time, the first in the middle of its share.
            while (verified < (2 * second - 1) * verifications / (2 * seconds)) {
                verified++;
                verify();
            }
        }
        while (verified < verifications) {
            verified++;
            verify();
        }
    }

    private void awaitUntil(final long instantNs) {
        Await.until(
                () -> System.nanoTime() - instantNs >= 0 || !primary.process().isAlive(),
                LIVE_INTERVAL.multipliedBy(60),
                () -> "the clock stands still");
        requireHostA();
    }

    /** Host A must not be gone before it is killed: the instant would not be known. */
    void requireHostA() {
        if (standby.state() == AgentState.TAKING_OVER || standby.state() == AgentState.ACTIVE) {
            throw new TestbedException(
                    "host B took over before host A was killed, because it did not hear from it in time."
                            + " The load average of this machine is "
                            + ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()
                            + ": repeat when it is less busy, or give more --detect-timeout"
                            + standby.process().logTail());
        }
        if (!primary.process().isAlive()) {
            throw new TestbedException("the agent on host A ended with exit status "
                    + primary.process().exitStatus() + primary.process().logTail());
        }
    }

    private void show(final long second, final long operations) {
        final AgentFigures figures = AgentFigures.of(primary);
        final AgentState state = primary.state();
        narrator.tell(
                "  %3d s  %-11s epoch %-6d pause %-8s commit %-8s %9s/epoch %5d operations/s",
                second,
                state,
                primary.counter(AgentCounter.EPOCH_COMMITTED),
                Figures.millis(figures.pauseMillisP50()),
                Figures.millis(figures.commitMillisP50()),
                Figures.kib(figures.bytesPerEpochMean()),
                operations);
    }

    private void verify() {
        final JsonNode answer = compare();
        final long differing = answer.path("differingPages").asLong(0);
        narrator.tell(
                "         compared %d pages at epoch %d: %s",
                answer.path("comparedPages").asLong(0),
                answer.path("epoch").asLong(0),
                differing == 0 ? "all equal" : differing + " DIFFER");
        if (differing > 0) {
            complaints.add("host B's memory differed in " + differing + " pages at epoch "
                    + answer.path("epoch").asLong(0) + ", first "
                    + answer.path("firstDifferingPages"));
        }
    }

    private JsonNode compare() {
        try {
            return primary.command("verify");
        } catch (final TestbedException failure) {
            requireHostA();
            throw failure;
        }
    }

    /** What the comparisons found. */
    List<String> complaints() {
        return complaints;
    }
}
