package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.HostPair;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.LabProcess;
import org.resilire.testbed.lab.TakeoverMode;

/**
 * What a disk gives through the agent's server, beside qemu-nbd's, over the same protocol and the same file. Asked from the host: through
 * an emulated guest one would measure the emulator.
 */
final class DiskExperiment implements Experiment {

    static final String NAME = "disk";

    /** Who serves the disk. */
    enum Server {
        QEMU_NBD("qemu-nbd", "qemu-nbd"),
        AGENT("agent", "the agent, no backup"),
        PROTECTED("agent-protected", "the agent, protected");

        private final String label;
        private final String title;

        Server(final String label, final String title) {
            this.label = label;
            this.title = title;
        }

        String label() {
            return label;
        }

        String title() {
            return title;
        }
    }

    private static final String DISK = "bench";
    private static final int DISK_MIB = 256;
    private static final int MEMORY_MIB = 256;
    private static final Duration LENGTH = Duration.ofSeconds(1);
    private static final Duration START_LIMIT = Duration.ofSeconds(20);
    private static final Duration PROTECTION_LIMIT = Duration.ofMinutes(2);

    /** A machine that measures is busy, and nobody dies here: silence means nothing. */
    private static final Duration DETECT_TIMEOUT = Duration.ofSeconds(20);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String title() {
        return "a disk through the agent's NBD server beside qemu-nbd";
    }

    static Point point(final Server server, final FioJob job) {
        return Point.of(NAME).with("server", server.label()).with("job", job.name());
    }

    @Override
    public List<Point> points(final EvaluationPlan plan) {
        return List.of(Server.values()).stream().flatMap(DiskExperiment::points).toList();
    }

    private static Stream<Point> points(final Server server) {
        return FioJob.ALL.stream().map(job -> point(server, job));
    }

    @Override
    public void run(final Evaluation evaluation) {
        for (final Server server : Server.values()) {
            evaluation.measureTogether(points(server).toList(), wanted -> run(evaluation, server, wanted));
        }
    }

    /** In a lab of its own, with a disk that no server has had before. */
    private static void run(final Evaluation evaluation, final Server server, final List<Point> wanted) {
        final GuestPrograms programs = GuestPrograms.fromEnvironment();
        final GuestConfig config = new GuestConfig(GuestImage.fromEnvironment(), MEMORY_MIB, 1).withDisks(DISK);
        try (Lab lab = Lab.create();
                HostPair hosts = new HostPair(lab, config)) {
            LabDisk.createEmpty(lab, DISK, (long) DISK_MIB << 20);
            fill(lab.hostA().diskImage(DISK));
            if (server == Server.QEMU_NBD) {
                serveByQemu(lab);
            } else {
                hosts.startPrimary(options()).awaitServing();
            }
            if (server == Server.PROTECTED) {
                protect(evaluation, hosts);
            }
            for (final FioJob job : FioJob.ALL) {
                final Point point = point(server, job);
                if (wanted.contains(point)) {
                    evaluation.measure(point, () -> measure(evaluation, lab, programs, job, point));
                }
            }
        }
    }

    private static List<Sample> measure(
            final Evaluation evaluation,
            final Lab lab,
            final GuestPrograms programs,
            final FioJob job,
            final Point point) {
        final List<Sample> samples = new ArrayList<>();
        final FioJob.Starter starter =
                (name, command) -> lab.start(name, lab.hostA().namespace(), command);
        for (int number = 1; number <= evaluation.plan().samples(); number++) {
            final Map<String, Double> figures = job.run(starter, programs, lab.hostA(), DISK, lab.directory(), LENGTH);
            samples.add(new Sample(point, number, Instant.now(), figures));
        }
        evaluation.say(
                "  %.0f requests/s, p50 %.3f ms, p99 %.3f ms",
                Spread.of(samples, "requestsPerSecond").mean(),
                Spread.of(samples, "requestMillisP50").mean(),
                Spread.of(samples, "requestMillisP99").mean());
        return samples;
    }

    /** A hole is read faster than data. */
    private static void fill(final Path image) {
        final byte[] content = new byte[1 << 20];
        final SplittableRandom random = new SplittableRandom(1);
        try (OutputStream out = Files.newOutputStream(image)) {
            for (int i = 0; i < DISK_MIB; i++) {
                random.nextBytes(content);
                out.write(content);
            }
        } catch (final IOException failure) {
            throw new TestbedException("cannot fill " + image + ": " + failure.getMessage(), failure);
        }
    }

    private static void serveByQemu(final Lab lab) {
        final Path socket = lab.hostA().diskSocket(DISK);
        final LabProcess server = lab.start(
                "qemu-nbd",
                lab.hostA().namespace(),
                List.of(
                        "qemu-nbd",
                        "--socket=" + socket,
                        "--export-name=" + DISK,
                        "--format=raw",
                        "--persistent",
                        "--shared=8",
                        "--cache=writeback",
                        lab.hostA().diskImage(DISK).toString()));
        Await.until(
                () -> Files.exists(socket) || !server.isAlive(),
                START_LIMIT,
                () -> "qemu-nbd did not start" + server.logTail());
        if (!server.isAlive()) {
            throw new TestbedException("qemu-nbd ended" + server.logTail());
        }
    }

    private static AgentOptions options() {
        return AgentOptions.defaults().withDetectTimeout(DETECT_TIMEOUT).withDisks(DISK);
    }

    /** An idle guest that has the disk and leaves it alone. */
    private static void protect(final Evaluation evaluation, final HostPair hosts) {
        evaluation.say("booting a guest");
        hosts.bootGuest();
        hosts.startStandby(TakeoverMode.MANUAL, options());
        hosts.awaitProtected(PROTECTION_LIMIT);
    }
}
