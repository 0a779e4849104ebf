package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.evaluate.DiskExperiment.Server;

/** The report's part about disks. */
final class DiskSection {

    private static final double MIB = 1 << 20;

    private DiskSection() {}

    static void write(final Html html, final Results results) {
        final Map<Point, List<Sample>> all = results.of(DiskExperiment.NAME);
        if (all.isEmpty()) {
            return;
        }
        html.heading(2, "Disks");
        html.note(
                "fio as a client of the disk's NBD server, on the host: the same protocol, file and client for all. Protected: the"
                        + " changes travel to host B with the epochs of an idle guest, at most as fast as it takes them.");
        final List<Plot.Line> bars = new ArrayList<>();
        final List<List<String>> rows = new ArrayList<>();
        for (final Server server : Server.values()) {
            bars.add(new Plot.Line(
                    server.title(),
                    List.of(),
                    FioJob.ALL.stream().map(job -> ofQemu(all, server, job)).toList()));
            for (final FioJob job : FioJob.ALL) {
                final List<Sample> samples = all.getOrDefault(DiskExperiment.point(server, job), List.of());
                if (!samples.isEmpty()) {
                    rows.add(row(all, server, job, samples));
                }
            }
        }
        html.plot(Plot.bars(
                "Requests a second, part of qemu-nbd's",
                "part",
                FioJob.ALL.stream().map(FioJob::name).toList(),
                bars));
        html.table(
                List.of(
                        "server",
                        "requests",
                        "requests/s",
                        "MiB/s",
                        "÷ qemu-nbd",
                        "request p50 ms",
                        "request p99 ms",
                        "flush p50 ms"),
                rows);
    }

    private static List<String> row(
            final Map<Point, List<Sample>> all, final Server server, final FioJob job, final List<Sample> samples) {
        return List.of(
                server.title(),
                job.title(),
                Html.shown(Spread.of(samples, "requestsPerSecond")),
                Html.shown(Spread.of(samples, "bytesPerSecond").mean() / MIB),
                Html.shown(ofQemu(all, server, job).mean()),
                Html.shown(Spread.of(samples, "requestMillisP50")),
                Html.shown(Spread.of(samples, "requestMillisP99")),
                Html.shown(Spread.of(samples, "flushMillisP50")));
    }

    private static Spread ofQemu(final Map<Point, List<Sample>> all, final Server server, final FioJob job) {
        final double qemu = Spread.of(
                        all.getOrDefault(DiskExperiment.point(Server.QEMU_NBD, job), List.of()), "requestsPerSecond")
                .mean();
        return Spread.of(all.getOrDefault(DiskExperiment.point(server, job), List.of()).stream()
                .mapToDouble(sample -> sample.figure("requestsPerSecond") / qemu)
                .toArray());
    }
}
