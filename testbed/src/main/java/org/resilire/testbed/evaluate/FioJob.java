package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.LabHost;
import org.resilire.testbed.lab.LabProcess;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Something for fio to do to a disk that a server offers over NBD, as a client beside the guest's QEMU.
 *
 * @param name in the results
 * @param title for people
 * @param readsOrWrites as fio's {@code rw} has it
 * @param blockBytes of a request
 * @param depth requests under way
 * @param isFlushed whether each is followed by a flush, as a database's log is
 */
record FioJob(String name, String title, String readsOrWrites, int blockBytes, int depth, boolean isFlushed) {

    private static final int SMALL_BYTES = 4 << 10;
    private static final int LARGE_BYTES = 128 << 10;
    private static final int DEPTH = 16;

    static final List<FioJob> ALL = List.of(
            new FioJob("random-read", "random reads of 4 KiB, 16 at a time", "randread", SMALL_BYTES, DEPTH, false),
            new FioJob("random-write", "random writes of 4 KiB, 16 at a time", "randwrite", SMALL_BYTES, DEPTH, false),
            new FioJob("sequential-read", "reads of 128 KiB in order, 16 at a time", "read", LARGE_BYTES, DEPTH, false),
            new FioJob(
                    "sequential-write", "writes of 128 KiB in order, 16 at a time", "write", LARGE_BYTES, DEPTH, false),
            new FioJob(
                    "flushed-write",
                    "random writes of 4 KiB, each flushed before the next",
                    "randwrite",
                    SMALL_BYTES,
                    1,
                    true));

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration EXTRA_LIMIT = Duration.ofSeconds(30);
    private static final String MEDIAN = "50.000000";
    private static final String P99 = "99.000000";

    static FioJob named(final String name) {
        return ALL.stream()
                .filter(job -> job.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no job '" + name + "'"));
    }

    boolean isRead() {
        return readsOrWrites.endsWith("read");
    }

    /**
     * Runs it.
     *
     * @param start starts a process by its name and command line
     * @param directory for what fio says
     */
    Map<String, Double> run(
            final Starter start,
            final GuestPrograms programs,
            final LabHost host,
            final String disk,
            final Path directory,
            final Duration length) {
        final Path output = directory.resolve("fio.json");
        try {
            Files.deleteIfExists(output);
            final LabProcess fio =
                    start.start("fio", programs.fio(arguments(host.diskSocket(disk), disk, output, length)));
            fio.awaitEnd(length.plus(EXTRA_LIMIT));
            if (fio.exitStatus() != 0) {
                throw new TestbedException("fio ended with exit status " + fio.exitStatus() + fio.logTail());
            }
            return figures(Files.readString(output));
        } catch (final IOException failure) {
            throw new TestbedException("cannot read what fio said: " + failure.getMessage(), failure);
        }
    }

    /** Starts a process of the lab. */
    interface Starter {
        LabProcess start(String name, List<String> command);
    }

    private List<String> arguments(final Path socket, final String disk, final Path output, final Duration length) {
        return List.of(
                "--name=" + name,
                "--ioengine=nbd",
                "--uri=nbd+unix:///" + disk + "?socket=" + socket,
                "--rw=" + readsOrWrites,
                "--bs=" + blockBytes,
                "--iodepth=" + depth,
                "--fsync=" + (isFlushed ? 1 : 0),
                // Seeded by itself: the same places each time.
                "--randrepeat=1",
                "--norandommap",
                "--time_based",
                "--runtime=" + length.toMillis() + "ms",
                "--output=" + output,
                "--output-format=json");
    }

    Map<String, Double> figures(final String output) {
        try {
            // Complaints may stand before it.
            final JsonNode job = JSON.readTree(output.substring(Math.max(0, output.indexOf('{'))))
                    .path("jobs")
                    .path(0);
            final JsonNode direction = job.path(isRead() ? "read" : "write");
            if (job.path("error").asInt(-1) != 0 || direction.path("total_ios").asLong(0) == 0) {
                throw new TestbedException(
                        "fio did nothing, or failed with error " + job.path("error") + ": " + output);
            }
            final Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("requestsPerSecond", direction.path("iops").asDouble());
            figures.put("bytesPerSecond", direction.path("bw_bytes").asDouble());
            putLatency(figures, "requestMillis", direction.path("clat_ns"));
            if (isFlushed) {
                putLatency(figures, "flushMillis", job.path("sync").path("lat_ns"));
            }
            return figures;
        } catch (final JacksonException malformed) {
            throw new TestbedException("fio did not say what it did: " + output, malformed);
        }
    }

    private static void putLatency(final Map<String, Double> figures, final String name, final JsonNode latency) {
        figures.put(name + "P50", latency.path("percentile").path(MEDIAN).asDouble() / 1e6);
        figures.put(name + "P99", latency.path("percentile").path(P99).asDouble() / 1e6);
    }
}
