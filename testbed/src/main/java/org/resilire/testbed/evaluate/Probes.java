package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.evaluate.client.ClientProcess;
import org.resilire.testbed.evaluate.client.LoadSample;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.LabProcess;
import tools.jackson.databind.JsonNode;

/** The probes there are, and the window that they look at. */
final class Probes {

    /** Of the agent that protects; the probes of processor time divide by it. */
    static final String EPOCHS = "epochs";

    private static final double NANOS_A_MILLI = 1e6;

    private Probes() {}

    /** Lets time pass and returns what all probes saw. */
    static Map<String, Double> window(final Duration length, final List<Probe> probes) {
        final Map<String, Double> figures = new LinkedHashMap<>();
        probes.forEach(Probe::begin);
        final long startedNs = System.nanoTime();
        final long endNs = startedNs + length.toNanos();
        while (System.nanoTime() - endNs < 0) {
            if (Thread.currentThread().isInterrupted()) {
                throw new TestbedException("interrupted");
            }
            LockSupport.parkNanos(endNs - System.nanoTime());
        }
        final double seconds = (System.nanoTime() - startedNs) / 1e9;
        figures.put("windowSeconds", seconds);
        probes.forEach(probe -> probe.end(seconds, figures));
        return figures;
    }

    /** Work done in the guest. */
    static Probe progress(final GuestProgress progress) {
        return new Probe() {
            private long before;

            @Override
            public void begin() {
                before = progress.units();
            }

            @Override
            public void end(final double seconds, final Map<String, Double> figures) {
                figures.put("unitsPerSecond", (progress.units() - before) / seconds);
            }
        };
    }

    /** Pauses in which nothing is done. */
    static Probe pauses(final PacedPauses pauses) {
        return new Probe() {
            private long before;

            @Override
            public void begin() {
                before = pauses.count();
            }

            @Override
            public void end(final double seconds, final Map<String, Double> figures) {
                figures.put("epochsPerSecond", (pauses.count() - before) / seconds);
            }
        };
    }

    /** Answers that the clients got. */
    static Probe clients(final ClientProcess clients) {
        return new Probe() {
            @Override
            public void begin() {
                clients.sample();
            }

            @Override
            public void end(final double seconds, final Map<String, Double> figures) {
                final LoadSample sample = clients.sample();
                figures.put("operationsPerSecond", sample.operations() / sample.seconds());
                figures.put("receivedBytesPerSecond", sample.receivedBytes() / sample.seconds());
                figures.put("brokenConnections", (double) sample.brokenConnections());
                figures.put("lostAnswers", (double) sample.lostAnswers());
                figures.put("duplicatedAnswers", (double) sample.duplicatedAnswers());
                figures.put("wrongAnswers", (double) sample.wrongAnswers());
                if (sample.latencyMillisP50() != null) {
                    figures.put("latencyMillisP50", sample.latencyMillisP50());
                    figures.put("latencyMillisMean", sample.latencyMillisMean());
                    figures.put("latencyMillisP99", sample.latencyMillisP99());
                }
            }
        };
    }

    /** Processor time of a process, and if something is protected, by epoch. */
    static Probe cpu(final String name, final LabProcess process) {
        return new Probe() {
            private double before;

            @Override
            public void begin() {
                before = CpuTime.seconds(process.identity().pid());
            }

            @Override
            public void end(final double seconds, final Map<String, Double> figures) {
                final double used = CpuTime.seconds(process.identity().pid()) - before;
                figures.put(name + "CpuShare", used / seconds);
                if (figures.containsKey(EPOCHS)) {
                    figures.put(name + "CpuMillisPerEpoch", used * 1e3 / figures.get(EPOCHS));
                }
            }
        };
    }

    /** What the protecting agent counted: distributions of the window, totals as means per epoch, everything else as it is. */
    static Probe agent(final AgentProcess primary) {
        return new Probe() {
            private Map<String, Long> before = Map.of();

            @Override
            public void begin() {
                before = primary.counters();
                primary.command("sample");
            }

            @Override
            public void end(final double seconds, final Map<String, Double> figures) {
                final JsonNode sample = primary.command("sample");
                final Map<String, Long> after = primary.counters();
                requireProtected(primary, before, after);
                final double epochs = increase(AgentCounter.EPOCHS_TOTAL.label(), before, after);
                figures.put(EPOCHS, epochs);
                figures.put("epochsPerSecond", epochs / seconds);
                distribution(sample.path("pauseNanos"), "pauseMillis", NANOS_A_MILLI, figures);
                distribution(sample.path("scanNanos"), "scanMillis", NANOS_A_MILLI, figures);
                distribution(sample.path("commitNanos"), "commitMillis", NANOS_A_MILLI, figures);
                distribution(sample.path("dirtyPages"), "dirtyPages", 1, figures);
                for (final AgentCounter counter : AgentCounter.values()) {
                    final String label = counter.label();
                    if (!after.containsKey(label)) {
                        continue;
                    }
                    if (label.endsWith("Total")) {
                        final String name = label.substring(0, label.length() - "Total".length());
                        figures.put(name + "PerEpoch", increase(label, before, after) / epochs);
                    } else if (isKept(counter)) {
                        figures.put(label, (double) after.get(label));
                    }
                }
                figures.put("pageBytesPerEpoch", figures.getOrDefault("dirtyPagesPerEpoch", Double.NaN) * 4096);
            }
        };
    }

    private static void requireProtected(
            final AgentProcess primary, final Map<String, Long> before, final Map<String, Long> after) {
        final String synchronisations = AgentCounter.SYNCHRONISATIONS.label();
        if (primary.state() != AgentState.PROTECTED || increase(synchronisations, before, after) > 0) {
            throw new TestbedException("protection was lost while it was measured: " + primary.lastError()
                    + primary.process().logTail());
        }
    }

    private static double increase(final String label, final Map<String, Long> before, final Map<String, Long> after) {
        return (double) (after.getOrDefault(label, 0L) - before.getOrDefault(label, 0L));
    }

    /** Totals are differences already; of the rest, what describes the mode and not a moment. */
    private static boolean isKept(final AgentCounter counter) {
        return switch (counter) {
            case SHADOW_BYTES, HASH_BYTES, INDEX_BYTES, HASH_COLLISIONS, STALE_HASHES, LINK_BYTES_PER_SECOND -> true;
            default -> false;
        };
    }

    private static void distribution(
            final JsonNode distribution, final String name, final double unit, final Map<String, Double> figures) {
        for (final String statistic : List.of("mean", "p50", "p99", "max")) {
            if (distribution.has(statistic)) {
                final String suffix = Character.toUpperCase(statistic.charAt(0)) + statistic.substring(1);
                figures.put(name + suffix, distribution.get(statistic).asDouble() / unit);
            }
        }
    }
}
