package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestProcess;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.QmpClient;
import tools.jackson.databind.JsonNode;

/**
 * QEMU's own migration of the same guest over the same link, beside the agents' initial synchronisation: time, and what the link carried
 * from host A to host B.
 */
final class MigrationExperiment implements Experiment {

    static final String NAME = "migration";

    private static final int PORT = 7979;
    private static final int MOST_SAMPLES = 5;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(5);
    private static final Set<String> ENDS = Set.of("completed", "failed", "cancelled");
    private static final List<Workload> WORKLOADS = List.of(Workload.IDLE, Workload.NPB_EP, Workload.DIRTY);

    /**
     * A way to move a guest.
     *
     * @param capabilities to be switched on at both ends
     * @param parameters to be set at both ends
     */
    private record Method(String name, List<String> capabilities, Map<String, Object> parameters) {}

    private static final List<Method> METHODS = List.of(
            new Method("qemu-precopy-xbzrle", List.of("xbzrle"), Map.of()),
            new Method(
                    "qemu-multifd-zstd",
                    List.of("multifd"),
                    Map.of("multifd-channels", 2, "multifd-compression", "zstd")));

    private static final List<ProtectionMode> MODES = List.of(ProtectionMode.REMUS_RAW, ProtectionMode.DEFAULT);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "QEMU's own migration beside the initial synchronisation";
    }

    private static Point point(final Workload workload, final String method) {
        return Point.of(NAME).with("workload", workload.label()).with("method", method);
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return WORKLOADS.stream().flatMap(MigrationExperiment::points).toList();
    }

    private static Stream<Point> points(final Workload workload) {
        return Stream.concat(
                        MODES.stream().map(ProtectionMode::name),
                        METHODS.stream().map(Method::name))
                .map(method -> point(workload, method));
    }

    @Override
    public void run(final Evaluation evaluation) {
        for (final Workload workload : WORKLOADS) {
            evaluation.measureTogether(points(workload).toList(), wanted -> run(evaluation, workload, wanted));
        }
    }

    private static void run(final Evaluation evaluation, final Workload workload, final List<Point> wanted) {
        evaluation.say("%s: booting a guest", workload.title());
        try (Subject subject = Subject.boot(evaluation.plan().guest());
                RunningWorkload running = new RunningWorkload(subject)) {
            running.startOnce(workload);
            for (final ProtectionMode mode : MODES) {
                final Point point = point(workload, mode.name());
                if (wanted.contains(point)) {
                    evaluation.measure(
                            point, () -> repeat(evaluation, point, () -> synchronise(evaluation, subject, mode)));
                }
            }
            for (final Method method : METHODS) {
                final Point point = point(workload, method.name());
                if (wanted.contains(point)) {
                    evaluation.measure(point, () -> repeat(evaluation, point, () -> migrate(subject, method)));
                }
            }
        }
    }

    /** One measurement. */
    private interface Once {
        Map<String, Double> measure();
    }

    private static List<Sample> repeat(final Evaluation evaluation, final Point point, final Once once) {
        final List<Sample> samples = new ArrayList<>();
        for (int number = 1; number <= Math.min(MOST_SAMPLES, evaluation.plan().samples()); number++) {
            final Map<String, Double> figures = once.measure();
            samples.add(new Sample(point, number, Instant.now(), figures));
            evaluation.say(
                    "  %d  %.0f ms, %.1f MB", number, figures.get("totalMillis"), figures.get("linkBytes") / 1e6);
        }
        return samples;
    }

    private static Map<String, Double> synchronise(
            final Evaluation evaluation, final Subject subject, final ProtectionMode mode) {
        try (Protection protection =
                Protection.attach(subject, mode.options(), evaluation.plan().period())) {
            final long sentBefore = subject.lab().replicationBytesFromHostA();
            protection.protect();
            final long sent = subject.lab().replicationBytesFromHostA() - sentBefore;
            final Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("linkBytes", (double) sent);
            figures.put("totalMillis", protection.beginning().get("synchronisationMillis"));
            return figures;
        }
    }

    /** The guest goes on where it was, and what was received is thrown away. */
    private static Map<String, Double> migrate(final Subject subject, final Method method) {
        final Lab lab = subject.lab();
        try (GuestProcess receiver = GuestProcess.receive(lab, subject.config());
                QmpClient to = receiver.openQmp();
                QmpClient from = subject.openQmp()) {
            configure(to, method);
            configure(from, method);
            execute(to, "migrate-incoming", Map.of("uri", "tcp:" + Lab.HOST_B_REPLICATION_ADDRESS + ":" + PORT));
            final long sentBefore = lab.replicationBytesFromHostA();
            execute(from, "migrate", Map.of("uri", "tcp:" + Lab.HOST_B_REPLICATION_ADDRESS + ":" + PORT));
            final JsonNode status;
            try {
                status = awaitEnd(from, "did not converge");
            } catch (final TestbedException tooLong) {
                execute(from, "migrate_cancel", Map.of());
                awaitEnd(from, "could not be cancelled");
                switchOff(from, method);
                throw tooLong;
            }
            // Of the link: QEMU counts pages for a multifd channel whatever it makes of them.
            final long sent = lab.replicationBytesFromHostA() - sentBefore;
            switchOff(from, method);
            execute(from, "cont", Map.of());
            if (!status.path("status").asString("").equals("completed")) {
                throw new TestbedException(
                        "QEMU's migration failed: " + status.path("error-desc").asString("without a reason"));
            }
            final Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("totalMillis", status.path("total-time").asDouble());
            figures.put("linkBytes", (double) sent);
            figures.put("downtimeMillis", status.path("downtime").asDouble());
            return figures;
        } finally {
            forgetReceived(lab);
        }
    }

    private static JsonNode awaitEnd(final QmpClient qmp, final String otherwise) {
        final JsonNode[] status = new JsonNode[1];
        Await.until(
                () -> {
                    status[0] = execute(qmp, "query-migrate", Map.of());
                    return ENDS.contains(status[0].path("status").asString(""));
                },
                LIMIT,
                LOOK_INTERVAL,
                () -> "QEMU's migration " + otherwise + " within " + LIMIT.toSeconds() + " s: " + status[0]);
        return status[0];
    }

    private static void configure(final QmpClient qmp, final Method method) {
        setCapabilities(qmp, method, true);
        final Map<String, Object> parameters = new LinkedHashMap<>(method.parameters());
        // As fast as the link goes, as the agents are; QEMU's own limit is 128 MiB/s.
        parameters.put("max-bandwidth", 10_000_000_000L);
        execute(qmp, "migrate-set-parameters", parameters);
    }

    /** The device state for a standby is saved without them. */
    private static void switchOff(final QmpClient qmp, final Method method) {
        setCapabilities(qmp, method, false);
    }

    private static void setCapabilities(final QmpClient qmp, final Method method, final boolean on) {
        execute(
                qmp,
                "migrate-set-capabilities",
                Map.of(
                        "capabilities",
                        method.capabilities().stream()
                                .map(name -> Map.of("capability", name, "state", on))
                                .toList()));
    }

    private static JsonNode execute(final QmpClient qmp, final String command, final Map<String, ?> arguments) {
        return qmp.execute(QmpClient.encode(command, arguments));
    }

    private static void forgetReceived(final Lab lab) {
        try {
            Files.deleteIfExists(lab.hostB().ramFile());
        } catch (final IOException failure) {
            throw new TestbedException("cannot remove what was received: " + failure.getMessage(), failure);
        }
    }
}
